import CLinux
import Foundation
import HTTPServer
import NetworkTypes
import SocketIO

/// A client that sends bytes as they are, and tells what comes back. Blocking, with five seconds for each read.
final class RawClient {
    private(set) var descriptor: Int32

    init(to address: ListenAddress) throws {
        switch address {
        case .ip(let endpoint):
            descriptor = try Self.socket(endpoint.address.family == .ipv4 ? AF_INET : AF_INET6)
            try connect(to: endpoint)
        case .unix(let path, _):
            descriptor = try Self.socket(AF_UNIX)
            let number = descriptor
            try SocketName.withName(of: .path(path)) { (name, length) throws(Errno) in
                try SystemCall.connect(number, to: name, length: length)
            }
        }
    }

    /// A socket for `connect(to:)` later on.
    init(toBeConnected domain: Int32) throws {
        descriptor = try Self.socket(domain)
    }

    func connect(to endpoint: IPEndpoint) throws {
        let number = descriptor
        try SocketName.withName(of: endpoint) { (name, length) throws(Errno) in
            try SystemCall.connect(number, to: name, length: length)
        }
    }

    private static func socket(_ domain: Int32) throws -> Int32 {
        let number = try SystemCall.socket(domain: domain, type: connectd_sock_stream, nonBlocking: false).release()
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        return number
    }

    deinit {
        close()
    }

    /// - Returns: whether all was taken.
    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                CLinux.send(descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// What one recv(2) gives; empty at the end, nil after an error or five seconds of silence.
    func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count < 0 ? nil : Array(buffer.prefix(count))
    }

    /// Everything until the other side closes; nil where it does not, or resets.
    func receiveAll() -> String? {
        var all: [UInt8] = []
        while let bytes = receive() {
            if bytes.isEmpty { return String(decoding: all, as: UTF8.self) }
            all += bytes
        }
        return nil
    }

    /// One response with a Content-Length, or without a body.
    func receiveResponse(withoutBody: Bool = false) -> RawResponse? {
        var bytes: [UInt8] = []
        while true {
            if let response = RawResponse(bytes, withoutBody: withoutBody) { return response }
            // One byte at a time leaves the next response where it is.
            var byte: UInt8 = 0
            guard recv(descriptor, &byte, 1, 0) == 1 else { return nil }
            bytes.append(byte)
        }
    }

    func closeWritingHalf() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    func close() {
        if descriptor >= 0 { CLinux.close(descriptor) }
        descriptor = -1
    }

    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }
}

/// A response, taken apart.
struct RawResponse {
    let status: Int
    let headers: [(name: String, value: String)]
    let body: String

    init?(_ bytes: [UInt8], withoutBody: Bool = false) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else { return nil }
        self.status = status
        headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (parts[0].lowercased(), parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : "")
        }
        body = String(text[end.upperBound...])
        let length = headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
        guard withoutBody || status < 200 || body.utf8.count >= length else { return nil }
    }

    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}
