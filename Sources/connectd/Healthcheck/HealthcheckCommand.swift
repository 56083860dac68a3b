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
        abstract: "Ask a running service whether it is well.",
        discussion: """
            It makes one GET request. Without a URL it asks /livez where the service beside it listens: the first \
            address of CONNECTD_HEALTH_LISTEN, else of CONNECTD_LISTEN, else 127.0.0.1:8080. With --config, or \
            CONNECTD_HTTPS__CERTIFICATE, it looks up there where that is: a health listener, else one that needs no \
            TLS, else over https, where the service has to show the configured certificate, or one with its key.

            A certificate of an https URL is verified as by connectd check: by the system's authorities, or --ca.

            Exit status: 0 when the answer is a 2xx, 1 for anything else, wrong usage included.

            Examples:
              connectd healthcheck
              connectd healthcheck http://127.0.0.1:8081/readyz
              connectd healthcheck --timeout 1s unix:/run/connectd/http.sock
              connectd healthcheck --ca internal-ca.pem --server-name connectd.internal https://127.0.0.1:8443/readyz
              connectd healthcheck --config /etc/connectd/connectd.yaml
              HEALTHCHECK CMD ["connectd", "healthcheck"]
            """)

    @Argument(help: "http://host:port/path, https://…, host:port, or unix:/path; without a path it is /livez.")
    var url: String?

    @Option(help: "How long it may take: 500ms, 3s (1ms … 60s; default: 3s).", transform: Duration.init(parsing:))
    var timeout = Duration(milliseconds: 3000)

    @Option(
        help: "The configuration file of the service: where it listens.",
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @OptionGroup
    var tls: HealthTLSArguments

    func validate() throws {
        if url != nil, config != nil { throw ValidationError("--config finds the URL: give one of both") }
    }

    func run() throws {
        let place = try place()
        let url = place.url
        if tls.isGiven, !url.isHTTPS { throw ValidationError("an option of https is given, and \(url.text) is none") }
        let settings = try tls.settings(trusting: place.certificate)
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

    private func place() throws -> HealthPlace {
        if let url { return try HealthPlace(url) }
        do {
            return try HealthPlace(configuration: config, environment: Environment.all)
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

/// The options of `healthcheck` that are about https.
struct HealthTLSArguments: ParsableArguments {
    @Option(help: "A file of authorities, PEM, to trust instead of the system's.", completion: .file())
    var ca: String?

    @Option(help: "The name to send and to verify, instead of the URL's host.")
    var serverName: String?

    @Flag(help: "Take any certificate.")
    var noVerify = false

    @Option(help: "A certificate to show, PEM, with its chain.", completion: .file())
    var clientCertificate: String?

    @Option(help: "The key of --client-certificate, PEM, without a passphrase.", completion: .file())
    var key: String?

    func validate() throws {
        if let serverName, let flaw = ServerName.flaw(in: serverName) {
            throw ValidationError("--server-name \"\(serverName)\": \(flaw)")
        }
        guard (clientCertificate == nil) == (key == nil) else {
            throw ValidationError("--client-certificate and --key go together")
        }
    }

    var isGiven: Bool { ca != nil || serverName != nil || noVerify || clientCertificate != nil }

    /// Whether it is said whom to trust.
    var statesTrust: Bool { ca != nil || serverName != nil || noVerify }

    /// - Parameter own: the service's certificate, where it is known; what is said here goes before it.
    func settings(trusting own: CertificateReport?) throws -> HealthTLS {
        var tls = HealthTLS()
        tls.own = statesTrust ? nil : own
        tls.options.verify = !noVerify && tls.own == nil
        tls.options.serverName = serverName
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
