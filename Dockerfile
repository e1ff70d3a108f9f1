# The Sidecar in a small image: built with Swift's image, run on Debian's.
FROM docker.io/library/swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        pkg-config libmicrohttpd-dev libcurl4-openssl-dev librdkafka-dev libyaml-dev libsimdjson-dev libxxhash-dev libmimalloc-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
# First what changes seldom: the Swift packages are not fetched again for each change of the sources.
COPY Package.swift ./
RUN swift package resolve
COPY . .
RUN scripts/release.sh
# Only links: a commit that changes none of the above compiles nothing anew.
ARG REVISION=unknown
RUN scripts/release.sh \
    && install -D --strip "$(scripts/release.sh --show-bin-path)/ameron-sidecar" /out/ameron-sidecar

FROM docker.io/library/debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates libmicrohttpd12 libcurl4 librdkafka1 libyaml-0-2 libsimdjson14 libmimalloc2.0 libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o 65532 -g 65532 /var/lib/ameron-sidecar
COPY docker/ameron-sidecar.yaml /etc/ameron-sidecar/ameron-sidecar.yaml
COPY --from=build /out/ameron-sidecar /usr/local/bin/ameron-sidecar
ARG VERSION=dev
RUN --mount=type=bind,from=build,source=/build,target=/build \
    install -d /usr/share/doc/ameron-sidecar \
    && /build/docker/sbom.sh /build/Package.resolved "$VERSION" > /usr/share/doc/ameron-sidecar/sbom.cdx.json

# Where predictions.jsonl and a spool go. A volume, so that it can be written where the root file system cannot.
WORKDIR /var/lib/ameron-sidecar
VOLUME ["/var/lib/ameron-sidecar"]
ENV AMERON_CONFIG=/etc/ameron-sidecar/ameron-sidecar.yaml
# By number, since Kubernetes' runAsNonRoot cannot tell by name.
USER 65532:65532
EXPOSE 8080
# Alive, not ready: a container is not to be replaced because its model is still loading.
HEALTHCHECK --interval=10s --timeout=3s --start-period=2s CMD ["/usr/local/bin/ameron-sidecar", "health"]
ENTRYPOINT ["/usr/local/bin/ameron-sidecar"]
CMD ["serve"]

ARG REVISION=unknown
LABEL org.opencontainers.image.title="Ameron Sidecar" \
    org.opencontainers.image.description="A gateway in front of machine learning Model Services that reports every Prediction" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$REVISION" \
    org.opencontainers.image.base.name="debian:bookworm-slim"
