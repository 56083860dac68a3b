import AccessPolicy
import CheckEngine
import Configuration
@testable import ConnectAPI
import StrictJSON
import TLS
import Testing

/// The members that a request may use.
@Suite struct RequestPermissionsTests {
    private static let everything = #"""
        "bind":{"address":"10.0.0.9","port":0,"interface":"eth1"},"socket":{"mark":0,"tcp_md5":"bgp"},
        "dialog":[{"send":"x"}]
        """#

    /// A P-256 certificate for this test. Its key was deleted.
    private static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBcDCCARegAwIBAgIUNZ/XOASKRVo2S/7z+0gkm92ywRMwCgYIKoZIzj0EAwIw
        DTELMAkGA1UEAwwCY2EwIBcNMjYxMTI1MjIxODIyWhgPMjEyNjExMDEyMjE4MjJa
        MA0xCzAJBgNVBAMMAmNhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEHvaTm0ng
        /wb5Y39s00H0AIMAPFghoLeDTQck0dKuOXJLx9pQRen1fmNC/8WoUhG6gj1C6dIw
        ElhhScZ1ffFVA6NTMFEwHQYDVR0OBBYEFDnW+WyC3ATkztsXrnoS/YFBj9o8MB8G
        A1UdIwQYMBaAFDnW+WyC3ATkztsXrnoS/YFBj9o8MA8GA1UdEwEB/wQFMAMBAf8w
        CgYIKoZIzj0EAwIDRwAwRAIgdrkjQ0wxRCX/lWPwnhdwse7M+vLdjWJA8cnASFTf
        FgACIF9TTMyxpgQo13j6cZ+PbuyDuNj1FFQs6SHGEuLMbbue
        -----END CERTIFICATE-----
        """

    private func refusals(
        _ members: String, dialogs: PolicySettings.Dialogs = .any, options: Set<PolicySettings.Option> = [],
        keys: [String] = ["bgp"]
    ) throws -> [String] {
        RequestPermissions(dialogs: dialogs, options: options)
            .refusals(of: try decodedRequest(members), md5Keys: keys).map(\.pointer)
    }

    @Test func `with all permissions nothing is refused`() throws {
        #expect(try refusals(Self.everything, options: Set(PolicySettings.Option.allCases)) == [])
    }

    @Test func `without permissions each member is refused by its pointer, even a default value`()
        throws
    {
        #expect(
            try refusals(Self.everything, dialogs: .none) == [
                "/dialog", "/bind/address", "/bind/port", "/bind/interface", "/socket/mark", "/socket/tcp_md5",
            ])
    }

    @Test(arguments: [PolicySettings.Dialogs.none, .configured])
    func `without dialogs a protocol name cannot contain client text`(dialogs: PolicySettings.Dialogs) throws {
        let evil = #""tls":{"verify":false,"alpn":["\r\nset x 0 0 4\r\nevil\r\n"]}"#
        #expect(try refusals(evil, dialogs: dialogs) == ["/tls/alpn"])
        #expect(try refusals(evil, dialogs: .any) == [])
        #expect(try refusals(#""tls":{"alpn":["h2","http/1.1","x-own/1"]}"#, dialogs: dialogs) == [])
        #expect(try refusals(#""tls":{"alpn":["x own"]}"#, dialogs: dialogs) == ["/tls/alpn"])
    }

    @Test(arguments: [
        (PolicySettings.Option.bind, ["/bind/interface", "/socket/mark", "/socket/tcp_md5"]),
        (.interface, ["/bind/address", "/bind/port", "/socket/mark", "/socket/tcp_md5"]),
        (.mark, ["/bind/address", "/bind/port", "/bind/interface", "/socket/tcp_md5"]),
        (.md5, ["/bind/address", "/bind/port", "/bind/interface", "/socket/mark"]),
    ])
    func `a permission allows only its own members`(option: PolicySettings.Option, refused: [String]) throws {
        #expect(try refusals(Self.everything, options: [option]) == refused)
    }

    @Test func `a missing key is refused like one that is not permitted`() throws {
        let permissions = RequestPermissions(dialogs: .any, options: [])
        let member = #""socket":{"tcp_md5":"bgp"}"#
        let unlent = permissions.refusals(of: try decodedRequest(member), md5Keys: ["bgp"])
        let absent = RequestPermissions(dialogs: .any, options: [.md5]).refusals(
            of: try decodedRequest(member), md5Keys: [])
        #expect(unlent == absent)
        #expect(unlent.map(\.pointer) == ["/socket/tcp_md5"])
    }

    @Test(arguments: [(PolicySettings.Dialogs.any, false), (.configured, true), (.none, true)])
    func `a dialog needs the permission for dialogs`(dialogs: PolicySettings.Dialogs, isRefused: Bool) throws {
        #expect(try refusals(#""dialog":[{"send":"x"}]"#, dialogs: dialogs) == (isRefused ? ["/dialog"] : []))
    }

    @Test func `a starttls step is a dialog, a starttls protocol is not`() throws {
        #expect(try refusals(#""dialog":[{"starttls":true}]"#, dialogs: .none) == ["/dialog"])
        #expect(try refusals(#""tls":{"starttls":"smtp"}"#, dialogs: .none) == [])
    }

    @Test(arguments: [
        ("*.internal:443", "tls://DB.Internal:443", true), ("*.internal:443", "tls://db.internal:444", false),
        ("*.internal:443", "tls://internal:443", false), ("db.internal:*", "tls://db.internal.:1", true),
        ("*:443", "tls://10.0.0.7:443", true), ("10.0.0.7:443", "tls://10.0.0.7:443", true),
        ("10.0.0.7:443", "tls://10.0.0.8:443", false), ("[2001:db8::7]:440-450", "tls://[2001:db8:0::7]:443", true),
        ("*:*", "unix:/run/x", false),
    ])
    func `a client certificate is permitted for its targets`(pattern: String, target: String, isLent: Bool) throws {
        let permissions = RequestPermissions(
            dialogs: .any, options: [], certificateTargets: ["probe": [try TargetPattern(parsing: pattern)]])
        let tls = #""tls":{"client_certificate":"probe","verify":false}"#
        let request = try decode(#"{"target":"\#(target)",\#(tls)}"#).get().request
        let found = permissions.refusals(of: request, md5Keys: []).map(\.pointer)
        #expect(found == (isLent ? [] : ["/tls/client_certificate"]))
    }

    @Test func `a client certificate without targets is permitted for every target`() throws {
        #expect(try refusals(#""tls":{"client_certificate":"probe"}"#) == [])
    }

    @Test func `names missing in the configuration are reported`() throws {
        let request = try decodedRequest(#""tls":{"ca":"nosuch","client_certificate":"nosuch"}"#)
        let found = RequestPermissions.unknownNames(in: request, of: TLSMaterial())
        #expect(found.map(\.pointer) == ["/tls/ca", "/tls/client_certificate"])
        let lent = TLSMaterial(authorities: ["nosuch": try TrustAnchors(pem: Array(Self.authority.utf8))])
        #expect(RequestPermissions.unknownNames(in: request, of: lent).map(\.pointer) == ["/tls/client_certificate"])
        #expect(RequestPermissions.unknownNames(in: try decodedRequest(#""tls":true"#), of: lent).isEmpty)
    }

    @Test func `members that only affect the connect need no permission`() throws {
        let members = #"""
            "id":"x","labels":{"a":"b"},"resolve":{"family":"ipv4"},"expect":"refused",
            "socket":{"close":"rst","ttl":3,"dscp":46,"tcp_syn_retries":1,"mptcp":true}
            """#
        #expect(try refusals(members, dialogs: .none) == [])
    }
}
