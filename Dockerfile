# The same Python as .python-version, by which the tests run and requirements.txt is resolved.
FROM docker.io/library/python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv --without-pip /opt/notifier
COPY requirements.txt .
RUN python -m pip --python /opt/notifier/bin/python install --require-hashes --only-binary :all: -r requirements.txt
COPY . .
RUN python -m pip --python /opt/notifier/bin/python install --no-deps --no-build-isolation . \
    && python -m pip --python /opt/notifier/bin/python uninstall --yes setuptools

FROM docker.io/library/python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="kraken-status-notifier" \
    org.opencontainers.image.description="Tells Slack, Telegram and mail what Kraken's status page says" \
    org.opencontainers.image.licenses="MIT"
ENV PATH=/opt/notifier/bin:$PATH PYTHONDONTWRITEBYTECODE=1
COPY --from=build /opt/notifier /opt/notifier
# The database and config.toml are looked for here, and nothing is written anywhere else.
WORKDIR /data
RUN chown 10001:10001 /data
VOLUME /data
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=2m --timeout=30s --start-period=2m --retries=2 CMD ["notifier", "check", "--alive"]
ENTRYPOINT ["notifier"]
CMD ["run"]
