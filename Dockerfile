# The image holds one static binary and the public CA certificates: no shell, no packages, no root.
#
#   docker build --tag registry.example.com/asana-access-review:0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" .
#
# If you cannot pull the base image, build the binary first:
#
#   RUSTFLAGS="-C target-feature=+crt-static" cargo rustc --locked --release --target x86_64-unknown-linux-gnu \
#     --bin asana-access-review -- -C link-arg=-Wl,-z,pack-relative-relocs
#   mkdir -p dist && cp target/x86_64-unknown-linux-gnu/release/asana-access-review /etc/ssl/certs/ca-certificates.crt dist/
#   docker build --build-arg BINARY=prebuilt .

# Pin it to a digest in your own build: --build-arg RUST_IMAGE=rust@sha256:...
ARG RUST_IMAGE=docker.io/library/rust:1.95-bookworm
# `build` compiles the source; `prebuilt` takes the binary from dist/.
ARG BINARY=build

FROM ${RUST_IMAGE} AS build
ARG REVISION=unknown
WORKDIR /src
COPY . .
# Packed relocations save two thirds of a MiB.
RUN host="$(rustc -vV | sed -n 's/^host: //p')" \
 && RUSTFLAGS="-C target-feature=+crt-static" GIT_COMMIT="$REVISION" \
    cargo rustc --locked --release --target "$host" --bin asana-access-review \
      -- -C link-arg=-Wl,-z,pack-relative-relocs \
 && mkdir /dist \
 && cp "target/$host/release/asana-access-review" /etc/ssl/certs/ca-certificates.crt /dist/

FROM scratch AS prebuilt
COPY dist/asana-access-review dist/ca-certificates.crt /dist/

FROM ${BINARY} AS binary

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="asana-access-review" \
      org.opencontainers.image.description="Checks whether people who left still have access to Asana, and keeps verifiable evidence" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=binary /dist/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=binary /dist/asana-access-review /asana-access-review
# A number, because Kubernetes cannot see that a named user is not root.
USER 65532:65532
ENTRYPOINT ["/asana-access-review"]
