# The image of the controller: meshctl alone, for anybody but root.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=v0.0.0-unknown
ARG COMMIT=
ARG DATE=
ENV CGO_ENABLED=0
RUN STAMP=github.com/meshctl/meshctl/internal/commands/buildinfo && go build -trimpath \
    -ldflags "-s -w -X $STAMP.buildVersion=$VERSION -X $STAMP.buildCommit=$COMMIT -X $STAMP.buildDate=$DATE" \
    -o /meshctl ./cmd/meshctl

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /meshctl /meshctl
USER 65532:65532
ENTRYPOINT ["/meshctl"]
CMD ["help"]
