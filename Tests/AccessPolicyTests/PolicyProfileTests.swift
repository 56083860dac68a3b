import AccessPolicy
import NetworkTypes
import Testing

@Suite struct PolicyProfileTests {
    @Test(arguments: [
        "10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "127.255.255.254", "8.8.8.8", "192.0.2.1", "198.18.0.1",
        "100.64.0.1",
        "192.0.0.8", "192.88.99.1", "1.0.0.0", "223.255.255.255", "100.100.100.201", "169.253.0.1", "169.255.0.1",
        "192.0.0.191",
        "::1", "2001:db8::1", "fd00::1", "fc00::1", "fd00:ec2::253", "2606:4700::1111", "64:ff9b::8.8.8.8",
        "64:ff9b:1::8.8.8.8",
        "::ffff:10.0.0.1", "2002:808:808::1", "100::1", "5f00::1", "3fff::1", "2001:0:808:808::f7f7:f7f7",
        "2001:db8::5efe:10.0.0.1",
    ])
    func internalAllowsEveryUnicastAddress(_ address: String) throws {
        #expect(try Policy(profile: .internal).verdict(on: "tcp \(address) 80") == "allow")
        #expect(try Policy(profile: .rules).verdict(on: "tcp \(address) 80") == "deny profile")
    }

    @Test(arguments: Policy.Profile.allCases)
    func everyProfileHasTheHardDenials(_ profile: Policy.Profile) throws {
        let policy = Policy(profile: profile)
        for (address, reason) in [
            ("169.254.169.254", "cloudMetadata"), ("169.254.170.2", "cloudMetadata"),
            ("169.254.170.23", "cloudMetadata"),
            ("fd00:ec2::254", "cloudMetadata"), ("fd00:ec2::23", "cloudMetadata"), ("fd20:ce::254", "cloudMetadata"),
            ("100.100.100.200", "cloudMetadata"), ("192.0.0.192", "cloudMetadata"), ("168.63.129.16", "cloudMetadata"),
            ("169.254.0.1", "linkLocal"), ("fe80::1", "linkLocal"), ("fe80::1%eth0", "linkLocal"),
            ("febf::1", "linkLocal"),
            ("224.0.0.1", "multicast"), ("239.255.255.255", "multicast"), ("ff02::1", "multicast"),
            ("ff0e::1%lo", "multicast"),
            ("255.255.255.255", "broadcast"), ("0.0.0.0", "unspecified"), ("0.1.2.3", "unspecified"),
            ("::", "unspecified"),
            ("240.0.0.1", "reserved"), ("255.255.255.254", "reserved"), ("fec0::1", "reserved"),
            ("4000::1", "reserved"),
            ("200::1", "reserved"), ("100:0:0:1::1", "reserved"), ("fe00::1", "reserved"), ("f000::1", "reserved"),
            ("::2", "reserved"),
            ("1::", "reserved"), ("64:ff9b:2::1", "reserved"), ("64:ff9b:0:1::1", "reserved"),
            ("::10.0.0.1", "reserved"), ("::ffff:0:10.0.0.1", "reserved"),
        ] {
            #expect(try policy.verdict(on: "tcp \(address) 80") == "deny \(reason)", "\(address)")
            #expect(try policy.verdict(on: "udp \(address) 53") == "deny \(reason)", "\(address)")
        }
    }

    @Test(arguments: [
        "::ffff:169.254.169.254", "::169.254.169.254", "::ffff:0:169.254.169.254", "64:ff9b::169.254.169.254",
        "64:ff9b:1::169.254.169.254", "64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:abcd::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "64:ff9b:1:12a9:fe:a9fe::", "64:ff9b:1:1234:a9:fea9:fe00:0", "2001:0:a9fe:a9fe::f7f7:f7f7",
        "2001:0:808:808:0:0:5601:5601",
        "2001:db8::5efe:169.254.169.254", "2001:db8::200:5efe:a9fe:a9fe", "2001:db8:64:a9fe:a9:fe00::",
        "fd64::169.254.169.254",
        "::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b:1::127.0.0.1", "64:ff9b:1:7f00:0:100::", "2002:7f00:1::1",
        "2001:0:7f00:1::f7f7:f7f7", "2001:0:808:808:0:0:80ff:fffe", "2001:db8::5efe:127.0.0.1", "fd64::127.0.0.1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1", "::ffff:10.0.0.9", "2001:db8:64:7f00:0:100::",
    ])
    func metadataAndOwnListenersAreDeniedInEveryForm(_ address: String) throws {
        let prefixes = try ["2001:db8:64::/48", "fd64::/96"].map { try NAT64Prefix(AddressRange(parsing: $0)) }
        for profile in Policy.Profile.allCases {
            let policy = Policy(profile: profile, nat64Prefixes: prefixes, ownPorts: [8080])
            #expect(try policy.verdict(on: "tcp \(address) 8080").hasPrefix("deny"))
        }
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("10.0.0.9", true), ("fd00::9", true),
        ("10.0.0.8", false),
        ("8.8.8.8", false),
    ])
    func ownListenersAreDeniedOnEveryLocalAddress(_ address: String, isOurs: Bool) throws {
        let policy = Policy(profile: .internal, ownPorts: [8080, 8081])
        #expect(try policy.verdict(on: "tcp \(address) 8080") == (isOurs ? "deny ownListener" : "allow"))
        #expect(try policy.verdict(on: "udp \(address) 8081") == (isOurs ? "deny ownListener" : "allow"))
        #expect(try policy.verdict(on: "tcp \(address) 8082") == "allow")
    }

    @Test func localAddressesAreLookedUpOnlyForOwnPorts() throws {
        let policy = Policy(ownPorts: [8080])
        let address = try #require(IPAddress(parsing: "10.0.0.1"))
        var asked = 0
        for port: UInt16 in [80, 8080, 443] {
            _ = policy.judge(IPEndpoint(address: address, port: port), transport: .tcp) { _ in
                asked += 1
                return false
            }
        }
        #expect(asked == 1)
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.1.2.3", true), ("::1", true), ("10.0.0.1", false), ("::ffff:10.0.0.1", false),
    ])
    func sidecarIsLoopback(_ address: String, isAllowed: Bool) throws {
        #expect(
            try Policy(profile: .sidecar).verdict(on: "tcp \(address) 80") == (isAllowed ? "allow" : "deny profile"))
    }

    @Test(arguments: [
        "8.8.8.8", "1.1.1.1", "192.0.0.9", "192.0.0.10", "192.31.196.1", "192.52.193.1", "192.175.48.1", "172.32.0.1",
        "100.128.0.1",
        "198.20.0.1", "2606:4700::1111", "2001:200::1", "2001:1::1", "2001:1::2", "2001:1::3", "2001:3::1",
        "2001:4:112::1",
        "2001:20::1", "2001:3f::1", "2620:4f:8000::1", "3ffe::1", "64:ff9b::8.8.8.8", "2002:808:808::1",
        "2606:4700::5efe:8.8.8.8",
        "fd64::8.8.8.8", "4064::8.8.8.8",
    ])
    func publicAllowsGlobalUnicast(_ address: String) throws {
        let prefixes = try ["fd64::/96", "4064::/96"].map { try NAT64Prefix(AddressRange(parsing: $0)) }
        #expect(try Policy(profile: .public, nat64Prefixes: prefixes).verdict(on: "tcp \(address) 80") == "allow")
    }

    @Test(arguments: [
        "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "172.16.0.1", "172.31.255.255", "192.0.0.1",
        "192.0.0.8",
        "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
        "203.0.113.1",
        "::1", "::ffff:8.8.8.8", "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8", "100::1", "2001::1",
        "2001:0:808:808::f7f7:f7f7",
        "2001:1::4", "2001:2::1", "2001:4:113::1", "2001:10::1", "2001:40::1", "2001:1ff:ffff::1", "2001:db8::1",
        "2002:a00:1::1",
        "3fff::1", "3fff:fff::1", "5f00::1", "fc00::1", "fd00::1", "2606:4700::5efe:10.0.0.1", "fd64::10.0.0.1",
    ])
    func publicDeniesAddressesThatAreNotGlobal(_ address: String) throws {
        let prefixes = [try NAT64Prefix(AddressRange(parsing: "fd64::/96"))]
        #expect(
            try Policy(profile: .public, nat64Prefixes: prefixes).verdict(on: "tcp \(address) 80") == "deny profile")
    }

    @Test func aNAT64PrefixInReservedSpaceIsNotReserved() throws {
        let prefixes = [try NAT64Prefix(AddressRange(parsing: "4064::/96"))]
        #expect(try Policy(nat64Prefixes: prefixes).verdict(on: "tcp 4064::10.0.0.1 80") == "allow")
        #expect(try Policy(nat64Prefixes: prefixes).verdict(on: "tcp 4064::169.254.0.1 80") == "deny linkLocal")
        #expect(try Policy().verdict(on: "tcp 4064::10.0.0.1 80") == "deny reserved")
    }

    @Test(arguments: Policy.Profile.allCases)
    func noProfileAllowsUnixPaths(_ profile: Policy.Profile) throws {
        #expect(try Policy(profile: profile).verdict(on: "unix /run/x.sock") == "deny unixPath")
        #expect(try Policy(profile: profile).verdict(on: "unix @name") == "deny unixPath")
    }
}
