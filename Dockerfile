# The Sidecar in a small image: built with Swift's image, run on Debian's.
FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        pkg-config libmicrohttpd-dev libcurl4-openssl-dev librdkafka-dev libyaml-dev libsimdjson-dev libxxhash-dev libmimalloc-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
RUN scripts/release.sh \
    && install -D --strip "$(scripts/release.sh --show-bin-path)/ameron-sidecar" /out/ameron-sidecar

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates libmicrohttpd12 libcurl4 librdkafka1 libyaml-0-2 libsimdjson14 libmimalloc2.0 libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o 65532 -g 65532 /var/lib/ameron-sidecar
COPY --from=build /out/ameron-sidecar /usr/local/bin/ameron-sidecar
COPY docker/ameron-sidecar.yaml /etc/ameron-sidecar/ameron-sidecar.yaml
# Where predictions.jsonl goes.
WORKDIR /var/lib/ameron-sidecar
ENV AMERON_CONFIG=/etc/ameron-sidecar/ameron-sidecar.yaml
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/ameron-sidecar"]
CMD ["serve"]
