# KeyEvt in a small image: compiled to native code (figures of all builds: bench/RESULTS.md), run without SDK and runtime, not as root.
#   scripts/image.sh        docker build with the version as label; plain "docker build -t keyevt ." works too, without that label's value
#   docker run -p 6380:6380 -e KEYEVT_UPSTREAM=redis://redis:6379 -e KEYEVT_AMQP=amqp://user:password@rabbit:5672/ -e KEYEVT_KEYMASK=ALL keyevt

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev zlib1g-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /source
# What restore needs first: its layer stays until a package changes.
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/Resp/*.csproj src/Resp/packages.lock.json src/Resp/
COPY src/Forwarder/*.csproj src/Forwarder/packages.lock.json src/Forwarder/
COPY src/Proxy/*.csproj src/Proxy/packages.lock.json src/Proxy/
RUN dotnet restore src/Proxy --locked-mode
COPY src/ src/
RUN dotnet publish src/Proxy -c Release --use-current-runtime -p:PublishAot=true -o /app -p:UseSharedCompilation=false
# The runtime is inside the program, so its licences come along. The folder of the SDK has them.
RUN sdk=$(dirname "$(readlink -f "$(command -v dotnet)")") && mkdir -p /licenses/dotnet && cp "$sdk/LICENSE.txt" "$sdk/ThirdPartyNotices.txt" /licenses/dotnet/
# A label that says another version than the program would be a lie, so the build fails instead.
ARG VERSION=
RUN [ -z "$VERSION" ] || [ "$(/app/keyevt --version | cut -d+ -f1)" = "$VERSION" ] || { echo "VERSION=$VERSION, but the program is $(/app/keyevt --version)" >&2; exit 1; }

FROM mcr.microsoft.com/dotnet/runtime-deps:10.0
# Given by scripts/image.sh: the version of Directory.Build.props, and the commit.
ARG VERSION=
ARG REVISION=
LABEL org.opencontainers.image.title="KeyEvt" \
      org.opencontainers.image.description="A sidecar for Redis that forwards its keyspace events to RabbitMQ" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
WORKDIR /app
COPY --from=build /app/keyevt ./
COPY --from=build /licenses licenses/
COPY LICENSE THIRD-PARTY-NOTICES.md ./
# Clients come from outside the container. The admin port does too, for the orchestrator's checks and for Prometheus; it is published only when asked for (-p 6381:6381).
ENV KEYEVT_LISTEN=0.0.0.0:6380 \
    KEYEVT_ADMIN=0.0.0.0:6381
EXPOSE 6380 6381
USER $APP_UID
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["./keyevt", "health"]
ENTRYPOINT ["./keyevt"]
