internal import Glibc
@testable internal import NetworkTypes

/// Targets, addresses and blocks as users write them.
enum TargetFuzz {
    static func run(_ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return }
        compareAddresses(text)
        readBlock(text)
        do throws(TargetError) {
            check(try Target(parsing: text), of: text)
        } catch {
            expectMessage(error.detail)
            expect((try? Target(exactly: text)) == nil, "an error for a valid target")
        }
        readHost(text)
        if let sentence = TargetSuggestion.sentence(for: text) { expectMessage(sentence, atMost: 12_000) }
        _ = VisibleText.of(text)
    }

    /// A target keeps its text, and the object form of its parts is the same target.
    private static func check(_ target: Target, of text: String) {
        expect(target.text.utf8.elementsEqual(text.utf8), "another text")
        switch target.peer {
        case .tcp(let host, let port), .udp(let host, let port):
            expect(port > 0, "port 0")
            let transport = target.isDatagram ? "udp" : target.impliesTLS ? "tls" : "tcp"
            let again = try? Target(transport: transport, host: member(host), port: .number(Int(port)))
            expect(again?.peer == target.peer, "the object form is another target: \(target.peer)")
            checkHost(host)
        case .unix(let type, let address):
            expect(!address.text.utf8.contains(0), "a NUL in a path")
            guard case .path(let bytes) = address, let path = String(validating: bytes, as: UTF8.self) else { return }
            expect((try? Target(socketType: type, path: path))?.peer == target.peer, "another path")
        }
    }

    /// The host as the object form has it.
    private static func member(_ host: Host) -> String {
        switch host {
        case .address(let address): address.text
        case .name(let name): name
        }
    }

    /// A name is a host name in ASCII, and its own ASCII form.
    private static func checkHost(_ host: Host) {
        guard case .name(let name) = host else { return }
        let bytes = Array(name.utf8)
        let length = bytes.last == UInt8(ascii: ".") ? bytes.count - 1 : bytes.count
        expect((1...253).contains(length), "a name of \(length) bytes")
        for label in bytes.prefix(length).split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            expect((1...63).contains(label.count), "a label of \(label.count) bytes")
            let isPlain = label.allSatisfy { $0.isASCIILetter || $0.decimalDigit != nil || $0 == 0x2D || $0 == 0x5F }
            expect(isPlain, "a label with other characters")
        }
        expect(inet_addr(name) == INADDR_NONE || name.hasSuffix("."), "inet_aton(3) reads the name as an address")
    }

    private static func readHost(_ text: String) {
        do throws(TargetError) {
            let host = try Host(member: text)
            checkHost(host)
            expect((try? Host(member: member(host))) == host, "the host's own text is another host: \(host)")
        } catch {
            expectMessage(error.detail)
        }
    }

    private static func readBlock(_ text: String) {
        do throws(AddressRangeError) {
            let range = try AddressRange(parsing: text)
            expect(range.contains(range.base), "a block without its first address")
            expect((try? AddressRange(parsing: range.text)) == range, "the block's own text is another block")
        } catch {
            expect(!error.detail.isEmpty, "no reason")
        }
    }

    /// The C library reads the same addresses, without zones, and writes nothing that is read differently.
    private static func compareAddresses(_ text: String) {
        let hasNUL = text.utf8.contains(0)
        var four = in_addr()
        let isFour = !hasNUL && inet_pton(AF_INET, text, &four) == 1
        let address = IPv4Address(parsing: text)
        expect(isFour == (address != nil), "inet_pton(3) disagrees about IPv4")
        if let address { expect(address.bits == UInt32(bigEndian: four.s_addr), "other bits than inet_pton(3)") }
        if let address { expect(IPv4Address(parsing: address.text) == address, "the address reads back differently") }

        var six = in6_addr()
        let isSix = !hasNUL && inet_pton(AF_INET6, text, &six) == 1
        let other = IPv6Address(parsing: text)
        if other?.zone == nil { expect(isSix == (other != nil), "inet_pton(3) disagrees about IPv6") }
        guard let other else { return }
        expect(IPv6Address(parsing: other.text) == other, "the address reads back differently")
        let octets = withUnsafeBytes(of: other.bits.bigEndian) { Array($0) }
        if isSix { expect(withUnsafeBytes(of: six) { $0.elementsEqual(octets) }, "other bits than inet_pton(3)") }
    }
}
