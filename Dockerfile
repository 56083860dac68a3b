# connectd's image: `docker build -t connectd .`; docs/deployment.md says how to run it, and `make image-test` tests it.
# Nothing here is of one architecture: whichever platform is asked for is built by that platform's own builder image.
FROM swift:6.3-bookworm AS builder

# Not pinned: Debian replaces a version when it mends a hole in it, and the old one is gone.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libc-ares-dev libmicrohttpd-dev libpcre2-dev libre2-dev libssl-dev libyaml-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*

# The packages first: they change seldom, and stay in the cache when a source file is edited.
WORKDIR /source
COPY Package.swift ./
RUN swift package resolve

COPY . ./
RUN swift build -c release --static-swift-stdlib --disable-local-rpath --product connectd -Xlinker --strip-all \
    && install -D .build/release/connectd /connectd

# No image of a program that looks for libraries next to itself, or whose table of addresses can be written to.
RUN readelf -W -d /connectd > /tmp/dynamic \
    && grep -q BIND_NOW /tmp/dynamic \
    && if grep RUNPATH /tmp/dynamic; then exit 1; fi

# What the label of the image says. The program says it itself: where the two differ there is no image.
ARG VERSION=0.1.0
RUN said=$(/connectd --version) \
    && case $said in \
        "connectd $VERSION "*) ;; \
        *) echo "VERSION is $VERSION, but this is $said" >&2; exit 1 ;; \
    esac


FROM debian:bookworm-slim

# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates libc-ares2 libmicrohttpd12 libpcre2-8-0 libre2-9 libssl3 libyaml-0-2 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/lib/dpkg/*-old \
        /var/log/apt /var/log/dpkg.log /var/log/alternatives.log \
    # Nothing in here has to become root: su, mount and their like lose the right to.
    && find /usr -xdev -type f -perm /6000 -exec chmod a-s {} +

COPY --from=builder /connectd /usr/local/bin/connectd
COPY deploy/image/connectd.yaml /etc/connectd/connectd.yaml

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="connectd" \
    org.opencontainers.image.description="Can this machine connect to that target, and if not, exactly why?" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"

# Numbers, so that Kubernetes can see that it is not root (runAsNonRoot). No file of the image belongs to them.
USER 65532:65532
STOPSIGNAL SIGTERM

# 8080 where the configuration opens it; as it is, the service listens on the container's own loopback alone.
EXPOSE 8080

# Asks /livez on loopback, or where CONNECTD_HEALTH_LISTEN or CONNECTD_LISTEN say.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["connectd", "healthcheck"]

ENTRYPOINT ["connectd"]
CMD ["serve", "--config", "/etc/connectd/connectd.yaml"]
