import CLinux
import CheckModel
import Foundation
import SocketIO
import Testing

/// Errors of socket(2), and what a socket is made of.
@Suite struct SocketErrnoTests {
    private func error(_ domain: Int32, _ type: Int32, _ protocolNumber: Int32 = 0) -> Errno? {
        errno { () throws(Errno) in
            _ = try SystemCall.socket(domain: domain, type: type, protocolNumber: protocolNumber)
        }
    }

    @Test func whatTheKernelDoesNotKnowIsToldApart() {
        #expect(error(AF_INET, connectd_sock_seqpacket) == Errno(ESOCKTNOSUPPORT))
        #expect(error(AF_INET, connectd_sock_stream, Int32(IPPROTO_UDP)) == Errno(EPROTONOSUPPORT))
        #expect(error(AF_UNIX, connectd_sock_stream, 255) == Errno(EPROTONOSUPPORT))
        #expect(error(255, connectd_sock_stream) == Errno(EAFNOSUPPORT))
        #expect(error(AF_INET, connectd_sock_stream, -1) == Errno(EINVAL))
    }

    @Test func aTableWithoutRoomGivesEMFILE() async {
        // A thread can have a table of descriptors of its own; that of the other tests has room as before.
        let error: Errno? = await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: Self.errorWithFullTable()) }
        }
        #expect(error == Errno(EMFILE))
    }

    private static func errorWithFullTable() -> Errno? {
        guard unshareDescriptors() else { return nil }
        while dup(STDERR_FILENO) >= 0 {}
        return errno { () throws(Errno) in _ = try Socket(.tcp(.ipv4)) }
    }

    /// unshare(2) with CLONE_FILES, which the imported headers do not declare.
    private static func unshareDescriptors() -> Bool {
        guard let symbol = dlsym(nil, "unshare") else { return false }
        // SAFETY: `int unshare(int)`, since glibc 2.4.
        let unshare = unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Int32).self)
        return unshare(0x400) == 0
    }

    @Test(arguments: [
        SocketKind.tcp(.ipv4), .tcp(.ipv6), .udp(.ipv4), .udp(.ipv6), .unix(.stream), .unix(.dgram), .unix(.seqpacket),
    ]) func aSocketIsWhatWasAskedForAndClosedOnExec(kind: SocketKind) throws {
        let socket = try Socket(kind)
        #expect(try option(socket.number, SOL_SOCKET, SO_DOMAIN) == kind.domain)
        #expect(isNonBlocking(socket.number))
        let blocking = try Socket(kind, nonBlocking: false)
        #expect(!isNonBlocking(blocking.number))
    }

    private func isNonBlocking(_ number: Int32) -> Bool {
        let flags = try? String(contentsOfFile: "/proc/self/fdinfo/\(number)", encoding: .utf8)
        let line = flags?.split(separator: "\n").first { $0.hasPrefix("flags:") }
        let value = line.flatMap { Int($0.split(separator: "\t").last ?? "", radix: 8) } ?? 0
        #expect(value & 0o2000000 != 0, "close-on-exec")
        return value & 0o4000 != 0
    }
}
