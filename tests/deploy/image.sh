#!/bin/sh
# Builds the image and runs it as a host would: as its own user, on a read-only root, with nothing but /data to write to.
# Usage: image.sh PYTHON. Needs root, Linux and buildah; where no registry answers, mmdebstrap makes what stands in for
# the base image. Takes some minutes and 2 GB.
set -eu
cd "$(dirname "$0")/../.."
python=$1
work=$(mktemp -d)
simulator=
end() {
  [ -z "$simulator" ] || kill "$simulator" || true
  images umount --all >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap end EXIT

images() {
  command=$1
  shift
  buildah --root "$work/images" --runroot "$work/run" --storage-driver vfs "$command" "$@"
}

# in_image NAME=VALUE… COMMAND…: the image's root read-only, its own processes, the host's network.
in_image() {
  unshare --mount --pid --fork --kill-child sh -euc '
    root=$1 data=$2 user=$3
    shift 3
    mount --bind "$root" "$root"
    mount -o remount,ro,bind "$root"
    mount --bind "$data" "$root/data"
    mount -t proc proc "$root/proc"
    mount --bind /dev "$root/dev"
    exec chroot --userspec="$user" "$root" /usr/bin/env -i -C /data "$@"' sh \
    "$root" "$work/data" "$user" PATH=/opt/notifier/bin:/usr/local/bin:/usr/bin:/bin \
    NOTIFIER_STATUS_PAGE__URL="$page" NOTIFIER_EXCHANGE__API_URL="$page" NOTIFIER_STATUS_PAGE__POLL_SECONDS=1 "$@"
}

base=$(sed -n 's/^FROM \(.*\) AS build$/\1/p' Dockerfile)
if ! images pull --quiet "$base" >/dev/null 2>&1; then
  echo "no registry answers: Debian's own Python stands in for $base"
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,python-is-python3,python3,python3-pip,python3-venv \
    bookworm "$work/base.tar"
  cp /etc/ssl/certs/ca-certificates.crt "$work"
  printf 'FROM scratch\nADD base.tar /\nADD ca-certificates.crt /etc/ssl/certs/\n' >"$work/Base"
  images bud --quiet --isolation chroot --file "$work/Base" --tag "$base" "$work" >/dev/null
fi
images bud --quiet --format docker --isolation chroot --pull-never --tag kraken-status-notifier . >/dev/null
container=$(images from --pull-never kraken-status-notifier)
root=$(images mount "$container")
user=$(images inspect --format '{{.Docker.Config.User}}' "$container")
du -sm "$root/opt/notifier" "$root" | sed "s|$root||" | awk '{print $1 " MB in " $2 "/"}'

"$python" -m notifier simulate --port 0 --speed 10 >"$work/simulator" &
simulator=$!
until page=$(grep -o 'http://[^ ]*' "$work/simulator"); do sleep 0.2; done
mkdir "$work/data"
chown "$user" "$work/data"

in_image notifier --version
in_image sh -c 'id; touch /x /opt/notifier/x /tmp/x 2>/dev/null || echo "nothing but /data can be written"'
in_image notifier migrate
: >"$work/out"
in_image notifier run >"$work/out" 2>&1 &
running=$!
until grep -q Investigating "$work/out"; do sleep 0.5; done
in_image notifier check --alive
notifier=$(pgrep -n -u "${user%:*}" -f 'bin/notifier run')
awk '/VmRSS|VmHWM/' "/proc/$notifier/status"
kill -TERM "$notifier"
wait "$running"
tail -n 1 "$work/out"
