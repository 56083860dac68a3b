import CheckModel
import Configuration
import StrictJSON
import Testing

@testable import ConnectAPI

/// What a request may use beside its target.
@Suite struct RequestPermissionsTests {
    private static let everything = #"""
        "bind":{"address":"10.0.0.9","port":0,"interface":"eth1"},"socket":{"mark":0,"tcp_md5":"bgp"},
        "dialog":[{"send":"x"}]
        """#

    private func refusals(
        _ members: String, dialogs: PolicySettings.Dialogs = .any, options: Set<PolicySettings.Option> = [],
        keys: [String] = ["bgp"]
    ) throws -> [String] {
        RequestPermissions(dialogs: dialogs, options: options)
            .refusals(of: try decodedRequest(members), md5Keys: keys).map(\.pointer)
    }

    @Test func `where all is lent nothing is refused`() throws {
        #expect(try refusals(Self.everything, options: Set(PolicySettings.Option.allCases)) == [])
    }

    @Test func `where nothing is lent each member is refused by its pointer, even at a value that changes nothing`()
        throws
    {
        #expect(
            try refusals(Self.everything, dialogs: .none) == [
                "/dialog", "/bind/address", "/bind/port", "/bind/interface", "/socket/mark", "/socket/tcp_md5",
            ])
    }

    @Test(arguments: [
        (PolicySettings.Option.bind, ["/bind/interface", "/socket/mark", "/socket/tcp_md5"]),
        (.interface, ["/bind/address", "/bind/port", "/socket/mark", "/socket/tcp_md5"]),
        (.mark, ["/bind/address", "/bind/port", "/bind/interface", "/socket/tcp_md5"]),
        (.md5, ["/bind/address", "/bind/port", "/bind/interface", "/socket/mark"]),
    ])
    func `an option lends its own members only`(option: PolicySettings.Option, refused: [String]) throws {
        #expect(try refusals(Self.everything, options: [option]) == refused)
    }

    @Test func `a key that is not there is refused as one that is not lent`() throws {
        let permissions = RequestPermissions(dialogs: .any, options: [])
        let member = #""socket":{"tcp_md5":"bgp"}"#
        let unlent = permissions.refusals(of: try decodedRequest(member), md5Keys: ["bgp"])
        let absent = RequestPermissions(dialogs: .any, options: [.md5]).refusals(
            of: try decodedRequest(member), md5Keys: [])
        #expect(unlent == absent)
        #expect(unlent.map(\.pointer) == ["/socket/tcp_md5"])
    }

    @Test(arguments: [(PolicySettings.Dialogs.any, false), (.configured, true), (.none, true)])
    func `a dialog of the request's own`(dialogs: PolicySettings.Dialogs, isRefused: Bool) throws {
        #expect(try refusals(#""dialog":[{"send":"x"}]"#, dialogs: dialogs) == (isRefused ? ["/dialog"] : []))
    }

    @Test func `what reaches no further than a connect needs no permission`() throws {
        let members = #"""
            "id":"x","labels":{"a":"b"},"resolve":{"family":"ipv4"},"expect":"refused",
            "socket":{"close":"rst","ttl":3,"dscp":46,"tcp_syn_retries":1,"mptcp":true}
            """#
        #expect(try refusals(members, dialogs: .none) == [])
    }
}
