public import ArgumentParser
public import CheckModel
import ErrorCatalogue
internal import NetworkTypes
import SocketIO
import TLS

/// The TLS options of `check` and `wait`. Each of them enables a handshake with every TCP target.
struct TLSArguments: ParsableArguments {
    @Flag(help: "Perform a TLS handshake after each TCP connect; tls:// implies it.")
    var tls = false

    @Option(help: "The name to send (SNI) and to verify, instead of the target's host.")
    var serverName: String?

    @Flag(
        name: [.long, .customLong("insecure"), .customShort("k")],
        help: "Do not fail on certificate errors; still report them.")
    var noVerify = false

    @Option(help: "A PEM file of CAs to trust instead of the system's.", completion: .file())
    var ca: String?

    @Option(help: "Start TLS with STARTTLS of this protocol.")
    var starttls: StartTLSProtocol?

    @Option(help: "An ALPN protocol to offer, such as h2. Can be repeated, in order of preference.")
    var alpn: [String] = []

    @Option(help: "Fail if a certificate of the peer expires within this many days (0 … 36500).")
    var minDaysLeft: Int?

    @Flag(help: "Accept a TLS 1.2 server without secure renegotiation (RFC 5746).")
    var legacyRenegotiation = false

    func validate() throws {
        if let serverName, let flaw = ServerName.flaw(in: serverName) {
            throw ValidationError("--server-name \"\(serverName)\": \(flaw)")
        }
        guard alpn.count <= 16, alpn.allSatisfy({ (1...255).contains($0.utf8.count) }) else {
            throw ValidationError("--alpn allows at most 16 names of 1 to 255 bytes")
        }
        if let minDaysLeft, !(0...36_500).contains(minDaysLeft) {
            throw ValidationError("--min-days-left must be from 0 to 36500, got \(minDaysLeft)")
        }
    }

    /// Whether any TLS option is given.
    var isGiven: Bool {
        tls || serverName != nil || noVerify || ca != nil || starttls != nil || !alpn.isEmpty || minDaysLeft != nil
            || legacyRenegotiation
    }

    /// - Parameter hasTLS: Whether any check uses TLS.
    func validate(hasTLS: Bool) throws {
        if isGiven, !hasTLS {
            throw ValidationError("the TLS options need a TCP target: add one, or remove the options")
        }
    }

    /// The TLS options of each check that uses TLS.
    var options: TLSOptions {
        var options = TLSOptions()
        options.serverName = serverName.map(ServerName.readOrKept)
        options.verify = !noVerify
        options.authority = ca == nil ? nil : Self.authority
        options.startTLS = starttls
        options.alpn = alpn
        options.minimumDaysLeft = minDaysLeft
        options.legacyRenegotiation = legacyRenegotiation
        return options
    }

    /// The configuration's TLS material, plus the authorities of `--ca`.
    func material(with configured: TLSMaterial) throws -> TLSMaterial {
        guard let ca else { return configured }
        var authorities = configured.authorities
        authorities[Self.authority] = try Self.anchors(in: ca)
        return TLSMaterial(authorities: authorities, clientCertificates: configured.clientCertificates)
    }

    /// Contains a space, so no entry of a configuration has this name.
    private static let authority = "command line"

    static func anchors(in file: String) throws -> TrustAnchors {
        let bytes = try contents(of: file, for: "--ca")
        do throws(TLSMaterialError) {
            return try TrustAnchors(pem: bytes)
        } catch {
            throw ValidationError("--ca: the file \(file) \(error.reason)")
        }
    }

    /// - Parameter option: The option that names the file, for the error message.
    static func contents(of file: String, for option: String) throws -> [UInt8] {
        do throws(Errno) {
            let descriptor = try Descriptor.openForReading(Array(file.utf8))
            return try FileContents.read(descriptor.rawValue)
        } catch {
            throw ValidationError("\(option) \(file): \(ErrnoCatalogue.message(of: error))")
        }
    }
}

extension StartTLSProtocol: ExpressibleByArgument {}
