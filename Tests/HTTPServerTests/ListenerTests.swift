import CLinux
import Foundation
import HTTPServer
import NetworkTypes
import SocketIO
import Testing

/// TCP ports and socket files of listeners.
@Suite struct ListenerTests {
    private func path() -> [UInt8] { Array("/tmp/connectd-test-\(UUID().uuidString).sock".utf8) }

    private func text(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }

    @Test func aPortInUseIsAnError() async throws {
        try await withService { first in
            let address = first.address
            await #expect(throws: HTTPServiceError.cannotListen(address, Errno(EADDRINUSE))) {
                try await withService(on: [address]) { _ in }
            }
        }
    }

    @Test func aPortIsFreeAfterShutdown() async throws {
        var address = anyLoopbackPort
        try await withService { service in
            address = service.address
            let client = try service.client()
            client.send("GET /a HTTP/1.0\r\n\r\n")
            _ = client.receiveAll()
        }
        try await withService(on: [address]) { _ in }
    }

    @Test func noRequestIsReadBeforeThePreparationIsDone() async throws {
        let file = path()
        var early: [RawClient] = []
        var known: [ListenAddress] = []
        try await withService(
            on: [anyLoopbackPort, .unix(path: file)],
            prepare: { addresses, files in
                known = addresses
                #expect(files.count == 1)
                for address in addresses {
                    let client = try? RawClient(to: address)
                    #expect(client?.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n") != nil)
                    if let client { early.append(client) }
                }
                // The requests are in the kernel. A service that reads them answers well within this time.
                var polled = early.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
                #expect(poll(&polled, nfds_t(polled.count), 100) == 0)
            }
        ) { service in
            #expect(known == service.service.addresses && known.count == 2)
            #expect(known[0] != anyLoopbackPort)
            for client in early { #expect(client.receiveResponse()?.status == 200) }
        }
        #expect(early.count == 2)
    }

    @Test func severalListenersServeRequests() async throws {
        let file = path()
        let loopback6 = ListenAddress.ip(IPEndpoint(address: .v6(IPv6Address(bits: 1)), port: 0))
        try await withService(workers: 2, on: [anyLoopbackPort, loopback6, .unix(path: file)]) { service in
            for address in service.service.addresses {
                let client = try RawClient(to: address)
                client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(client.receiveResponse()?.status == 200)
            }
        }
    }

    @Test(arguments: [ListenAddress.defaultMode, 0o600, 0o666])
    func aSocketFileHasItsModeAndIsRemovedAtShutdown(mode: UInt16) async throws {
        let file = path()
        try await withService(on: [.unix(path: file, mode: mode)]) { _ in
            var status = stat()
            #expect(lstat(text(file), &status) == 0)
            #expect(status.st_mode & 0o777 == mode_t(mode))
        }
        #expect(!FileManager.default.fileExists(atPath: text(file)))
    }

    @Test func aStaleSocketFileIsReplaced() async throws {
        let file = path()
        let deserted = try SystemCall.socket(domain: AF_UNIX, type: connectd_sock_stream)
        let number = deserted.rawValue
        try SocketName.withName(of: .path(file)) { (name, length) throws(Errno) in
            guard bind(number, name, length) == 0 else { throw .current }
        }
        try await withService(on: [.unix(path: file)]) { service in
            let client = try service.client()
            client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.receiveResponse()?.status == 200)
        }
    }

    @Test func aSocketFileInUseIsAnErrorAndIsKept() async throws {
        let file = path()
        try await withService(on: [.unix(path: file)]) { first in
            await #expect(throws: HTTPServiceError.cannotListen(.unix(path: file), Errno(EADDRINUSE))) {
                try await withService(on: [.unix(path: file)]) { _ in }
            }
            let client = try first.client()
            client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.receiveResponse()?.status == 200)
        }
    }

    @Test func aRegularFileIsNeverRemoved() async throws {
        let file = path()
        #expect(FileManager.default.createFile(atPath: text(file), contents: Data("precious".utf8)))
        await #expect(throws: HTTPServiceError.cannotListen(.unix(path: file), Errno(EADDRINUSE))) {
            try await withService(on: [.unix(path: file)]) { _ in }
        }
        #expect(FileManager.default.contents(atPath: text(file)) == Data("precious".utf8))
        try FileManager.default.removeItem(atPath: text(file))
    }
}
