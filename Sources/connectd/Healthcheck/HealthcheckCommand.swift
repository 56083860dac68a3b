import ArgumentParser
import CheckModel
import Configuration
import NetworkTypes
import SocketIO
import TLS

/// `connectd healthcheck`: for a container's HEALTHCHECK, so that its image needs no curl.
struct HealthcheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "healthcheck",
        abstract: "Check a running service's health.",
        discussion: """
            It sends one GET request. Without a URL it requests /livez from the local service: at the first address of \
            CONNECTD_HEALTH_LISTEN, else of CONNECTD_LISTEN, else 127.0.0.1:8080. With --config or \
            CONNECTD_HTTPS__CERTIFICATE it takes the address from the configuration: a health listener, else a \
            listener without TLS, else the first one over https. The service must then present the configured \
            certificate, or one with the same key.

            The certificate of an https URL is verified as by connectd check: with the system's CAs, or with --ca.

            Exit status: 0 for a 2xx response, 1 for anything else, including wrong usage.

            Examples:
              connectd healthcheck
              connectd healthcheck http://127.0.0.1:8081/readyz
              connectd healthcheck --timeout 1s unix:/run/connectd/http.sock
              connectd healthcheck --ca internal-ca.pem https://localhost:8443/readyz
              connectd healthcheck --config /etc/connectd/connectd.yaml
              HEALTHCHECK CMD ["connectd", "healthcheck"]
            """)

    @Argument(help: "http://host:port/path, https://…, host:port, or unix:/path; the default path is /livez.")
    var url: String?

    @Option(help: "The timeout: 500ms, 3s (1ms … 60s; default: 3s).", transform: Duration.init(parsing:))
    var timeout = Duration(milliseconds: 3000)

    @Option(
        help: "The configuration file of the service, which contains its address.",
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @OptionGroup
    var tls: HealthTLSArguments

    func validate() throws {
        if url != nil, config != nil { throw ValidationError("use either a URL or --config, not both") }
    }

    func run() throws {
        let endpoint = try endpoint()
        let url = endpoint.url
        if tls.isGiven, !url.isHTTPS { throw ValidationError("the TLS options need an https URL, got \(url.text)") }
        let settings = try tls.settings(trusting: endpoint.certificate)
        let begin = Clock.now()
        let answer = try get(url, by: settings, until: begin.advanced(byMilliseconds: timeout.milliseconds))
        let time = HumanReport.milliseconds(Clock.now().since(begin))
        switch answer {
        case .success(let response) where (200...299).contains(response.status):
            Output.line("ok    \(url.text)  \(response.status)  \(time)")
        case .success(let response):
            Output.line("FAIL  \(url.text)  \(response.status) \(response.reason)  \(time)  \(response.bodyLine)")
            throw ExitCode(1)
        case .failure(let failure):
            Output.line("FAIL  \(url.text)  \(failure.text)  \(time)")
            throw ExitCode(1)
        }
    }

    private func endpoint() throws -> HealthEndpoint {
        if let url { return try HealthEndpoint(url) }
        do {
            return try HealthEndpoint(configuration: config, environment: Environment.all)
        } catch let problems as ConfigurationProblems {
            Output.line("FAIL  \(problems)")
            throw ExitCode(1)
        }
    }

    private func get(
        _ url: HealthURL, by tls: HealthTLS, until deadline: MonotonicTime
    ) throws -> Result<HealthResponse, HealthClient.Failure> {
        let reactor = try Reactor(thread: ReactorThread(index: 0))
        let thread = try WorkerThread(running: reactor)
        let answers = try BlockingQueue<Result<HealthResponse, HealthClient.Failure>>()
        Task(executorPreference: reactor.thread) {
            do throws(HealthClient.Failure) {
                answers.append(
                    .success(try await HealthClient(reactor: reactor, deadline: deadline, tls: tls).get(url)))
            } catch {
                answers.append(.failure(error))
            }
        }
        let answer = answers.next()
        thread.stopAndJoin()
        return answer
    }
}

/// The https options of `healthcheck`.
struct HealthTLSArguments: ParsableArguments {
    @Option(help: "A PEM file of CAs to trust instead of the system's.", completion: .file())
    var ca: String?

    @Option(help: "The name to send (SNI) and to verify, instead of the URL's host.")
    var serverName: String?

    @Flag(help: "Accept any certificate.")
    var noVerify = false

    @Option(help: "A PEM file of the client certificate to present, with its chain.", completion: .file())
    var clientCertificate: String?

    @Option(help: "A PEM file of the key of --client-certificate, without a passphrase.", completion: .file())
    var key: String?

    func validate() throws {
        if let serverName, let flaw = ServerName.flaw(in: serverName) {
            throw ValidationError("--server-name \"\(serverName)\": \(flaw)")
        }
        guard (clientCertificate == nil) == (key == nil) else {
            throw ValidationError("use --client-certificate and --key together")
        }
    }

    var isGiven: Bool { ca != nil || serverName != nil || noVerify || clientCertificate != nil }

    /// Whether an option decides which certificates to trust.
    var statesTrust: Bool { ca != nil || serverName != nil || noVerify }

    /// - Parameter own: The service's certificate, if known. The options take precedence over it.
    func settings(trusting own: CertificateReport?) throws -> HealthTLS {
        var tls = HealthTLS()
        tls.own = statesTrust ? nil : own
        tls.options.verify = !noVerify && tls.own == nil
        tls.options.serverName = serverName.map(ServerName.readOrKept)
        tls.options.authority = ca == nil ? nil : Self.name
        tls.options.clientCertificate = clientCertificate == nil ? nil : Self.name
        tls.material = TLSMaterial(
            authorities: try ca.map { [Self.name: try TLSArguments.anchors(in: $0)] } ?? [:],
            clientCertificates: try certificate().map { [Self.name: $0] } ?? [:])
        return tls
    }

    private static let name = "command line"

    private func certificate() throws -> ClientCertificate? {
        guard let clientCertificate, let key else { return nil }
        let certificatePEM = try TLSArguments.contents(of: clientCertificate, for: "--client-certificate")
        let keyPEM = try TLSArguments.contents(of: key, for: "--key")
        do throws(TLSMaterialError) {
            return try ClientCertificate(certificatePEM: certificatePEM, keyPEM: keyPEM)
        } catch {
            throw ValidationError(
                "--client-certificate \(clientCertificate), --key \(key): one of them \(error.reason)")
        }
    }
}
