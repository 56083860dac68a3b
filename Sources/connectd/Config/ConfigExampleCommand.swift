import ArgumentParser

/// `connectd config example`: a configuration file to begin with.
struct ConfigExampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example",
        abstract: "Print an example of a configuration file, with comments.",
        discussion: """
            The file starts the service as it runs without one. Remove a # to use the key behind it.

            Examples:
              connectd config example > connectd.yaml
              connectd config check connectd.yaml
            """)

    func run() throws {
        Output.bytes(Array(ConfigExample.text.utf8))
    }
}

/// The example of a configuration file. What follows `#` and a key is valid too, but for files that it names.
enum ConfigExample {
    static let text = """
        # Configuration of connectd. Check it with: connectd config check FILE
        # A running service reads it again on SIGHUP, or with: connectd reload

        # Where to listen: TCP addresses and UNIX sockets.
        listen: ["127.0.0.1:8080"]
        #listen: ["127.0.0.1:8080", "unix:/run/connectd/http.sock"]

        # Only /livez, /readyz and /metrics, so that a kubelet or Prometheus needs no access to the rest.
        #health_listen: ["0.0.0.0:8081"]

        # Names that a Host header may have, besides addresses and localhost: the name of a Kubernetes Service, for example.
        #hosts: [connectd.internal]

        # Who may ask. On an address that others reach, the service starts only with this, or with --allow-anonymous.
        # The file has one token per line, as name:token. Clients send Authorization: Bearer TOKEN.
        #auth: {tokens_file: /etc/connectd/tokens}

        # HTTPS instead of HTTP; with client_authorities, clients need a certificate.
        #https: {certificate: server.pem, key: server.key, client_authorities: clients.pem}

        # What checks may reach. internal: every unicast address, except cloud metadata and link-local.
        policy:
          profile: internal
          # Dialogs that a request may have: any, configured (only those of modules and monitors) or none.
          dialogs: any
          # The first rule that matches decides; otherwise the profile does.
          #rules:
          #  - {action: allow, path: "/run/app/*.sock"}
          #  - {action: allow, cidr: 10.0.0.0/8, ports: [5432, "8000-8999"], transports: [tcp]}
          #  - {action: deny, host: "*.corp.example"}

        # Checks in flight and in the queue, and the longest timeout of a request.
        limits: {in_flight: 4096, queue: 1024, timeout_ms: 60000}

        # On SIGTERM, /readyz fails at once; work is accepted for delay_ms more, and answered within limit_ms.
        drain: {delay_ms: 0, limit_ms: 20000}

        # Checks that the service repeats on its own. /readyz fails while a required one is not up.
        #monitors:
        #  - {name: db, required: true, interval_ms: 10000, check: {target: "tcp://db.internal:5432"}}
        #  - {name: web, interval_ms: 60000, down_after: 3, check: {target: "tls://web.internal:443", tls: {min_days_left: 14}}}

        # Modules of Prometheus blackbox_exporter, for GET /probe.
        #modules_file: blackbox.yml

        log: {level: info, format: json}

        """
}
