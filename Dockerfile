# Builds the connectd image: `docker build -t connectd .`
# docs/deployment.md describes how to run it; `make image-test` tests it.
# The file is the same for every architecture: each platform uses its own builder image.
# docs/supply-chain.md says how to update the digests.
FROM swift:6.3.3-bookworm@sha256:7060a792f4cd9eaa0d00826d941cec00ab8d252d33b8b28bc8e105f51f2dba73 AS builder

# Packages have no versions here: Debian removes the old version of a package after a security fix. The list of the
# image's software has the versions that were installed.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libc-ares-dev libidn2-dev libmicrohttpd-dev libnats-dev libpcre2-dev libre2-dev libssl-dev libyaml-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*

# Resolve the Swift packages first: they rarely change, so this layer stays in the cache when a source file changes.
WORKDIR /source
COPY Package.swift ./
RUN swift package resolve

COPY Sources ./Sources/
COPY Tests ./Tests/
COPY openapi ./openapi/
RUN swift build -c release --static-swift-stdlib --disable-local-rpath --product connectd

COPY scripts ./scripts/
RUN scripts/strip-program .build/release/connectd /connectd \
    && scripts/check-hardening /connectd

# The version in the label of the image. The build fails if the program has another version.
ARG VERSION=0.1.0
RUN said=$(/connectd --version) \
    && case $said in \
        "connectd $VERSION "*) ;; \
        *) echo "VERSION is $VERSION, but the program says: $said" >&2; exit 1 ;; \
    esac


FROM debian:bookworm-20260918-slim@sha256:3783cc01769c7b2b1b83a5c5ad96c815348e28ed7da68e2e3687004faa906251 AS libraries

# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates libc-ares2 libidn2-0 libmicrohttpd12 libnats3.4 libpcre2-8-0 libre2-9 libssl3 libyaml-0-2 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/lib/dpkg/*-old \
        /var/log/apt /var/log/dpkg.log /var/log/alternatives.log \
    # No program in the image needs setuid or setgid, so su, mount and others lose these bits.
    && find /usr -xdev -type f -perm /6000 -exec chmod a-s {} +


# The list of the software in the image. It needs Python and readelf, which the image does not have.
FROM builder AS sbom

# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*
ARG VERSION=0.1.0
COPY --from=libraries / /image/
RUN scripts/sbom --program /connectd --version "$VERSION" --root /image --whole-root > /connectd.cdx.json


FROM libraries

COPY --from=builder /connectd /usr/local/bin/connectd
COPY --from=sbom /connectd.cdx.json /usr/local/share/sbom/connectd.cdx.json
COPY deploy/image/connectd.yaml /etc/connectd/connectd.yaml

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="connectd" \
    org.opencontainers.image.description="Can this machine connect to that target, and if not, exactly why?" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.base.name="docker.io/library/debian:bookworm-20260918-slim" \
    org.opencontainers.image.base.digest="sha256:3783cc01769c7b2b1b83a5c5ad96c815348e28ed7da68e2e3687004faa906251" \
    connectd.sbom="/usr/local/share/sbom/connectd.cdx.json"

# Numeric IDs, so that Kubernetes can verify runAsNonRoot. They own no file in the image.
USER 65532:65532
STOPSIGNAL SIGTERM

# By default the service listens on the loopback interface of the container only. A configuration can open port 8080.
EXPOSE 8080

# Requests /livez on loopback, or at the address of CONNECTD_HEALTH_LISTEN or CONNECTD_LISTEN.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["connectd", "healthcheck"]

ENTRYPOINT ["connectd"]
CMD ["serve", "--config", "/etc/connectd/connectd.yaml"]
