"""Assets as Kraken's page names them: the raw material of the component catalogue.

Compact on purpose: an asset on one network is one component, an asset on five networks is five.
"""

from __future__ import annotations

from collections.abc import Iterator

_ASSETS = """
0G 0G; 0x ZRX; 1inch 1INCH; Aave AAVE; Acala ACA; Access Protocol ACS; Across Protocol ACX; Aergo AERGO;
Aerodrome AERO; Aethir ATH; Aevo AEVO; AI Companions AIC; AI Rig Complex ARC; Aixbt AIXBT; Akash AKT; Alchemist ALCH;
Alchemix ALCX; Alchemy Pay ACH; Alephium ALPH; Algorand ALGO; Alien Worlds TLM; Allora ALLO; Alpha Quark AQT;
Altlayer ALT; Amp AMP; Animecoin ANIME; Ankr ANKR; Anyone ANYONE; ApeCoin APE; API3 API3; Apollo APU; Aptos APT;
Aragon ANT; Arbitrum ARB; Arcblock ABT; Ardor ARDR; Arkham ARKM; Arpa ARPA; Artificial Superintelligence FET;
Arweave AR; Assemble AI ASM; Astar ASTR; Aster ASTER; Atletico Madrid ATM; Audius AUDIO; Augur REP; Augur v2 REPV2;
Aurora AURORA; Automata ATA; Avail AVAIL; Avalanche AVAX; Avantis AVNT; Axelar AXL; Axie Infinity AXS; Aztec AZTEC;
Babylon BABY; Badger BADGER; Balancer BAL; Banana Gun BANANA; Bancor BNT; Band BAND; BankrCoin BNKR;
Based Brett BRETT; Basic Attention Token BAT; Beam BEAM; Berachain BERA; Biconomy BICO; Biconomy Exchange BIT;
Bifrost BNC; BigTime BIGTIME; Bio Protocol BIO; Bitcoin BTC; Bitcoin Cash BCH; Bitensor TAO; Bittorrent BTT;
Blast BLAST; Blur BLUR; Bluzelle BLZ; BNB BNB; BOB BOB; Boba BOBA; Bonk BONK; Book of Meme BOME; Bounce AUCTION;
Boundless ZKC; Braintrust BTRST; Brickken BKN; Bubblemaps BMT; Bware INFRA; Camp CAMP; Cardano ADA; Cartesi CTSI;
Casper CSPR; Cat in a Dogs World MEW; Celer CELR; Celestia TIA; Celo CELO; Centrifuge CFG; Chainlink LINK;
Cheems CHEEMS; Chex Token CHEX; Chiliz CHZ; Chromia CHR; Civic CVC; Clearpool CPOOL; Clover Finance CLV; Codatta XNY;
Coinbase Wrapped BTC CBBTC; Comdex CMDX; Compound COMP; Convex CVX; Cookie DAO COOKIE; Core COREUM; Corn CORN;
Cosmos ATOM; COTI COTI; Covalent CQT; Covalent CXT; Cow Protocol COW; CreatorBid BID; Creditcoin CTC; Cronos CRO;
Curve CRV; Cyber CYBER; Cysic CYS; Dai DAI; Dash DASH; DeAgentAI AIA; Decentraland MANA; Decred DCR; DeepBook DEEP;
Degen DEGEN; Delysium AGI; DENT DENT; dForce DF; Dia DIA; Digibyte DGB; Districtx DNT; Dogecoin DOGE; dogwifhat WIF;
Dolomite DOLO; DoubleZero 2Z; Drift DRIFT; dYdX DYDX; Dymension DYM; E-Radix EXRD; Eclipse ES; Eigenlayer EIGEN;
Elrond EGLD; Energy Web EWT; Energy Web X EWTX; Enjin ENJ; Enzyme MLN; EOS EOS; Espresso ESP; Ethena ENA;
Ethena USDe USDE; ether.fi ETHFI; Ethereum Classic ETC; Ethereum ETH; Ethereum Name Service ENS; Ethereum PoW ETHW;
Euler EUL; Everipedia IQ; Fantom FTM; Fartcoin FARTCOIN; Fidelity Digital Dollar FIDD; Filecoin FIL; FIO FIO;
Flare FLR; Flock FLOCK; Floki FLOKI; Flow FLOW; Fluence FLT; Fluid FLUID; Forth FORTH; Frax FRAX; Frax Share FXS;
Fuel FUEL; Function X FX; Fwog FWOG; Gala GALA; Galxe GAL; Gari Network GARI; GHO GHO; Ghost GHST; Giga GIGA;
Gitcoin GTC; GMX GMX; Gnosis GNO; Goatseus GOAT; Goldfinch GFI; Golem GLM; GoMining GOMINING; Graph GRT; Grass GRASS;
Gravity G; Green Satoshi Token GST; Griffain GRIFFAIN; Gunz GUN; Hashflow HFT; Hedera HBAR; Helium HNT;
Helium Mobile MOBILE; HeyAnon ANON; Hivemapper HONEY; Holo HOT; Holoworld HOLO; Huma HUMA; Humanity H;
Hyperlane HYPER; HyperLiquid HYPE; Icon ICX; Idex IDEX; Illuvium ILV; Immutable IMX; Initia INIT; Injective INJ;
Instadapp INST; Integritee TEER; Interlay INTR; Internet Computer ICP; io.net IO; IOTA IOTA; IoTeX IOTX; Irys IRYS;
Jasmy JASMY; Jelly JELLYJELLY; Jito JTO; Jito Staked SOL JITOSOL; Joe JOE; Juno JUNO; Jupiter JUP; Just JST;
Kadena KDA; KAITO KAITO; Kamino KMNO; Karura KAR; Kaspa KAS; Kava KAVA; Keep Network KEEP; KeeperDAO ROOK;
Kernel KERNEL; Kilt KILT; Kima KIMA; Kin KIN; Kinetik KINT; KITE KITE; Komodo KMD; Kujira KUJI; Kusama KSM; Kyber KNC;
Lagrange LA; Lava LAVA; Layer3 L3; LayerZero ZRO; Lido LDO; Lighter LIT; Limitless LMTS; Linea LINEA; Liquity LQTY;
Liquity USD LUSD; Lisk LSK; Litecoin LTC; Livepeer LPT; Lombard BARD; Loopring LRC; Lumia LUMIA; Magic Eden ME;
Magic MAGIC; Manta MANTA; Mantle MNT; Mantra OM; Maple SYRUP; Marinade MNDE; Mask MASK; Mavia MAVIA; MC MC;
Melania MELANIA; Memecoin MEME; Metaplex MPLX; Meteora MET; Milady LADYS; Mina MINA; Mira MIRA; Mirror MIR; Mog MOG;
Momentum MMT; Monad MON; Monero XMR; Moo Deng MOODENG; Moonbeam GLMR; Moonriver MOVR; Moonwell WELL; Morpho MORPHO;
Movement MOVE; Mubarak MUBARAK; Multichain MULTI; MultiversX MVX; Mythos MYTH; NANO NANO; Naoris NAORIS; NEAR NEAR;
Neiro NEIRO; NEM XEM; Neon NEON; Neutron NTRN; Newton NEWT; Nexpace NXPC; Nillion NIL; NodeAI NODE; Nodle NODL; Non-
Playable Coin NPC; Notcoin NOT; Numeraire NMR; Nym NYM; Oasis ROSE; Ocean OCEAN; Official Trump TRUMP; OG OG; OMG OMG;
Omni OMNI; Ondo ONDO; OpenCampus EDU; OpenLedger OPEN; Optimism OP; Orbs ORBS; Orca ORCA; Orchid OXT; Orderly ORDER;
Ordi ORDI; Origin OGN; OriginTrail TRAC; Osmosis OSMO; PancakeSwap CAKE; Parcl PRCL; Particle PARTI; PAX Gold PAXG;
PayPal USD PYUSD; Peanut PNUT; Peaq PEAQ; Pendle PENDLE; Pepe PEPE; Perpetual PERP; Phala PHA; Plasma XPL;
Plume PLUME; Poldo POLS; Polkadot DOT; Polygon POL; Polyhedra ZKJ; Polymesh POLYX; PolySwarm NCT; Ponke PONKE;
Popcat POPCAT; Portal PORTAL; Powerledger POWR; Prime PRIME; Prompt PROMPT; Provenance HASH; Pudgy Penguins PENGU;
PUFFER PUFFER; Pump PUMP; Pyth PYTH; Qtum QTUM; Quant QNT; Quantoz EUR EURQ; Quantoz USD USDQ; QuickSwap QUICK;
Radicle RAD; Radix XRD; Rain RAIN; Rari RARI; Rarible RARE; Raydium RAY; Recall RECALL; RED RED; Rekt REKT; Ren REN;
Render RENDER; Request REQ; Reserve Rights RSR; Resolv RESOLV; Ripple USD RLUSD; River RIVER; Robonomics XRT;
Rocket Pool RPL; Ronin RON; Safe SAFE; SafePal SFP; Saga SAGA; Sahara SAHARA; Samoyedcoin SAMO; Sandbox SAND;
Sapien SAPIEN; Scroll SCR; SCRT SCRT; Sei SEI; Sentient SENT; Serum SRM; Shapeshift FOX; Shiba Inu SHIB; Shiden SDN;
Shping SHPING; Siacoin SC; Sign SIGN; Simon's Cat CAT; SKALE SKL; Sky SKY; Slerf SLERF; Smooth Love Potion SLP;
Solana SOL; Solv SOLV; Somnia SOMI; Songbird SGB; Sonic S; Spark SPK; Spell SPELL; Sperax SPA; SPX6900 SPX; SSV SSV;
Stacks STX; Stader SD; Stafi FIS; Stargate STG; Starknet STRK; STASIS EURO EURS; Steakhouse STEAK; Stellar XLM;
StepN GMT; Storj STORJ; Story IP; Succinct PROVE; Sui SUI; Sun SUN; Super SUPER; Supra SUPRA; Sushi SUSHI; Swarm BZZ;
Swell SWELL; SwissBorg BORG; Synapse SYN; Syndicate SYND; Synthetix SNX; Syntropy NOIA; TAC TAC; TBTC TBTC;
Telcoin TEL; Tensor TNSR; Terra LUNA2; TerraClassic LUNA; TerraUSD UST; Tether Gold XAUT; Tether USD USDT; Tezos XTZ;
Theta THETA; Thorchain RUNE; Threshold T; Token Bot CLANKER; Tokenize TKN; Toncoin TON; Toshi TOSHI; Towns TOWNS;
Treehouse TREE; Tribe TRIBE; TRON TRX; True USD TUSD; TrueFi TRU; Turbo TURBO; UMA UMA; Unifi UNFI; Uniswap UNI;
USA₮ USAT; USD.AI CHIP; USD1 USD1; USDC USDC; USDD USDD; USDG USDG; USDR USDR; USDS USDS; Usual USUAL; UXLINK UXLINK;
Vana VANA; VeChain VET; Velodrome VELO; Venice VVV; Verge XVG; Vine VINE; Virtuals VIRTUAL; Vision VSN; VVS VVS; W W;
WalletConnect WCT; Walrus WAL; Waves WAVES; WAX WAXL; Wen WEN; World Liberty WLFI; Worldcoin WLD; Wrapped Axelar WAX;
Wrapped BTC WBTC; XDC XDC; XION XION; XRP XRP; XTER XTER; XYO XYO; Yala YALA; Yearn YFI; Yield Guild YGG; Zama ZAMA;
Zcash ZEC; Zebec ZBCN; Zerebro ZEREBRO; Zeta ZETA; ZetaMarkets ZEX; Zeus ZEUS; Zignaly ZIG; Zircuit ZRC; ZkSync ZK;
zkVerify VFY; Zora ZORA
"""

_NETWORKS = {
    "Ethereum": "1INCH AAVE ANKR APE ARB AXS BAL BAT BICO BLUR CBBTC CELR COMP COW CRV CVX CYBER DAI DIA ENA ENJ ENS "
    "ETH ETHFI EURQ FET FLUID FRAX GALA GHO GMT GRT GTC HFT IMX INST KNC LDO LINK LRC MANA MASK MNT MOG MORPHO NMR "
    "OCEAN ONDO PAXG PENDLE PEPE PERP POL PYUSD RARI RENDER RLUSD RPL RSR SAND SHIB SKY SNX SPELL SPX SSV STG SUPER "
    "SUSHI SYN SYRUP TBTC TEL TRAC TUSD UMA UNI USD1 USDC USDD USDE USDG USDQ USDR USDS USDT WBTC WCT WLD WLFI XAUT "
    "YFI ZRO ZRX",
    "Arbitrum One": "AAVE ARB ATH COMP CRV CVX DAI ETH ETHFI FRAX GMX GRT LDO LINK LPT MAGIC PENDLE PEPE RPL STG "
    "SUSHI TBTC UNI USDC USDE USDS USDT WBTC YFI ZRO",
    "Base": "AAVE AERO BAL BICO BRETT CBBTC CELR COMP COW CRV CYBER DAI DIA ENJ ETH EUL FLUID GMT GTC HFT INST KNC "
    "LRC MASK MORPHO NMR OCEAN PENDLE PERP PRIME RARI RSR SNX SPELL SPX SSV SYN SYRUP TBTC TEL TOSHI TRAC UMA UNI "
    "USDC USDE USDS USDT VIRTUAL VVV WCT WELL YFI ZORA ZRO",
    "Optimism": "AAVE CRV DAI ENS ETH FRAX LDO LINK OP SNX STG SUSHI TBTC UNI USDC USDT VELO WBTC WCT WLD YFI ZRO",
    "Polygon": "1INCH AAVE BAL BAT BICO CELR COMP COW CRV CYBER DAI DIA ENJ ETH FLUID FRAX GHST GMT GRT GTC HFT INST "
    "KNC LDO LINK LRC MANA MASK NMR OCEAN PERP POL RARI RSR SAND SPELL SSV STG SUSHI SYN TBTC TEL TRAC UMA UNI USDC "
    "USDT WBTC YFI",
    "Solana": "BONK CBBTC FARTCOIN GIGA JTO JUP KMNO MEW ORCA PENGU PNUT POPCAT PYTH PYUSD RAY RENDER SOL SPX TRUMP "
    "USD1 USDC USDE USDG USDS USDT W WBTC WCT WIF WLFI ZEUS ZRO",
    "BNB Smart Chain": "AAVE ASTER BNB CAKE ETH FLOKI LINK SFP TUSD UNI USD1 USDC USDT WLFI",
    "Avalanche C-Chain": "AAVE AVAX ETH FRAX JOE LINK STG USDC USDT YFI ZRO",
    "Ink": "ETH LINK USDC USDE USDG USDT",
    "Linea": "AAVE ETH LINEA USDC USDT WBTC",
    "Scroll": "AAVE ETH SCR USDC USDT",
    "Mantle": "ETH MNT USDC USDE USDT",
    "Celo": "CELO ETH USDC USDT",
    "Sonic": "S USDC",
    "Berachain": "BERA ETH USDC USDE USDT",
    "Monad": "ETH MON USDC USDT WBTC",
    "Plasma": "ETH USDE USDT XPL",
    "HyperEVM": "HYPE USDC USDE",
    "World Chain": "ETH USDC WBTC WLD",
    "Ronin": "AXS ETH RON SLP USDC",
    "Asset Hub": "DOT USDC USDT",
    "NEAR": "ETH NEAR USDC USDT",
    "Algorand": "ALGO USDC",
    "Hedera": "HBAR USDC",
    "Injective": "INJ USDC",
    "Noble": "USDC",
    "Unichain": "ETH UNI USDC USDT WBTC",
    "ZkSync Era": "AAVE ETH USDC USDT WBTC ZK ZRO",
    "Tron": "BTT JST SUN TRX TUSD USDD USDT",
    "TON": "NOT TON USDT USDE",
    "Sui": "DEEP SUI USDC WAL",
    "Aptos": "APT USD1 USDC USDE USDT",
    "XRP Ledger": "RLUSD XRP USDC",
    "Stellar": "PYUSD USDC XLM",
    "Bitcoin": "BTC",
    "Lightning": "BTC",
}

AWKWARD = (
    "Tether USD (USDT) - HyperEVM (USDT0)",
    "USDC (USDC) - Sei - EVM",
    "DOG (Bitcoin) - Runes",
    "Bitcoin (kBTC) - Ink",
    "Bitcoin (kBTC) - Ethereum",
    "Bitcoin (kBTC) - OP Mainnet",
    "Ethereum (ETH) - Staking",
    "Stacks (sBTC) - Stacks",
)


def funding() -> Iterator[str]:
    """Names of the funding components, by asset: `Name (TICKER)`, with ` - Network` where there is more than one."""
    for asset in filter(None, (line.strip() for line in _ASSETS.replace("\n", " ").split(";"))):
        name, _, ticker = asset.rpartition(" ")
        networks = [network for network, tickers in _NETWORKS.items() if ticker in tickers.split()]
        yield from (f"{name} ({ticker}) - {network}" for network in networks) if networks else (f"{name} ({ticker})",)
    yield from AWKWARD
