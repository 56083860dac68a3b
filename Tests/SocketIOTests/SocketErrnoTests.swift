import CLinux
import Foundation
import NetworkTypes
import SocketIO
import Testing

/// Errors of socket(2), and the properties of new sockets.
@Suite struct SocketErrnoTests {
    private func error(_ domain: Int32, _ type: Int32, _ protocolNumber: Int32 = 0) -> Errno? {
        errno { () throws(Errno) in
            _ = try SystemCall.socket(domain: domain, type: type, protocolNumber: protocolNumber)
        }
    }

    @Test func unknownFamiliesTypesAndProtocolsHaveDifferentErrors() {
        #expect(error(AF_INET, connectd_sock_seqpacket) == Errno(ESOCKTNOSUPPORT))
        #expect(error(AF_INET, connectd_sock_stream, Int32(IPPROTO_UDP)) == Errno(EPROTONOSUPPORT))
        #expect(error(AF_UNIX, connectd_sock_stream, 255) == Errno(EPROTONOSUPPORT))
        #expect(error(255, connectd_sock_stream) == Errno(EAFNOSUPPORT))
        #expect(error(AF_INET, connectd_sock_stream, -1) == Errno(EINVAL))
    }

    @Test func aFullDescriptorTableFailsWithEMFILE() async {
        // In a separate process, because the limit applies to the whole process.
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 64, rlim_max: 64)
            #expect(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
            while dup(STDERR_FILENO) >= 0 {}
            let error = errno { () throws(Errno) in _ = try Socket(.tcp(.ipv4)) }
            #expect(error == Errno(EMFILE))
        }
    }

    @Test(arguments: [
        SocketKind.tcp(.ipv4), .tcp(.ipv6), .udp(.ipv4), .udp(.ipv6), .unix(.stream), .unix(.dgram), .unix(.seqpacket),
    ]) func aNewSocketHasTheRequestedTypeAndIsClosedOnExec(kind: SocketKind) throws {
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
