import ArgumentParser

/// `connectd config example`: prints an example configuration file.
struct ConfigExampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example",
        abstract: "Print an example configuration file with comments.",
        discussion: """
            The file contains the defaults. Remove a # to set the key after it.

            Examples:
              connectd config example > connectd.yaml
              connectd config check connectd.yaml
            """)

    func run() throws {
        Output.bytes(Array(ConfigExample.text.utf8))
    }
}

/// The example configuration file. The commented keys are valid too, except that the files they name do not exist.
enum ConfigExample {
    static let text = """
        # Configuration of connectd. Check it with: connectd config check FILE
        # A running service reloads it on SIGHUP, or with: connectd reload

        # Where to listen: TCP addresses and UNIX sockets.
        listen: ["127.0.0.1:8080"]
        #listen: ["127.0.0.1:8080", "unix:/run/connectd/http.sock"]

        # Listeners for only /livez, /readyz and /metrics, for a kubelet or Prometheus.
        #health_listen: ["0.0.0.0:8081"]

        # Names to accept in a Host header, besides addresses and localhost: for example the name of a Kubernetes Service.
        #hosts: [connectd.internal]

        # Authentication. On an address that other machines can reach, the service needs this or --allow-anonymous.
        # The file has one token per line, as name:token. Clients send Authorization: Bearer TOKEN.
        #auth: {tokens_file: /etc/connectd/tokens}

        # HTTPS instead of HTTP; with client_authorities, clients need a certificate.
        #https: {certificate: server.pem, key: server.key, client_authorities: clients.pem}

        # Which targets are allowed. internal: every unicast address, except cloud metadata and link-local.
        policy:
          profile: internal
          # Dialogs that requests may use: any, configured (only those of modules and monitors) or none.
          dialogs: any
          # The first matching rule decides. If no rule matches, the profile decides.
          #rules:
          #  - {action: allow, path: "/run/app/*.sock"}
          #  - {action: allow, cidr: 10.0.0.0/8, ports: [5432, "8000-8999"], transports: [tcp]}
          #  - {action: deny, host: "*.corp.example"}

        # The maximum number of checks in flight, in the queue and in one batch, and the maximum timeout of a request.
        limits: {in_flight: 4096, queue: 1024, batch: 10000, timeout_ms: 60000}

        # Graceful shutdown: on SIGTERM /readyz fails, requests are still accepted for delay_ms, then answered within limit_ms.
        drain: {delay_ms: 0, limit_ms: 20000}

        # Checks that the service repeats by itself. /readyz fails while a required monitor is not up.
        #monitors:
        #  - {name: db, required: true, interval_ms: 10000, check: {target: "tcp://db.internal:5432"}}
        #  - {name: web, interval_ms: 60000, down_after: 3, check: {target: "tls://web.internal:443", tls: {min_days_left: 14}}}

        # Modules of Prometheus blackbox_exporter, for GET /probe.
        #modules_file: blackbox.yml

        # A fleet: several places find each other over NATS. Set credentials, token_file or user with password_file too.
        # answers: false only asks the others. answers: true also runs checks for them: it needs a policy and credentials.
        #fleet: {servers: ["tls://nats.internal:4222"], place: fra1, labels: {region: eu}, answers: false}

        log: {level: info, format: json}

        """
}
