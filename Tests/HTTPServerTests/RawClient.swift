import CLinux
import COpenSSL
import Foundation
import HTTPServer
import NetworkTypes
import SocketIO

/// A client that sends raw bytes and returns the response. It blocks for at most five seconds for each read.
final class RawClient {
    private(set) var descriptor: Int32
    private var tls: OpaquePointer?

    /// - Parameter receiveBufferBytes: with a small buffer, a slow reader blocks the service sooner.
    init(to address: ListenAddress, receiveBufferBytes: Int32? = nil) throws {
        switch address {
        case .ip(let endpoint):
            descriptor = try Self.socket(endpoint.address.family == .ipv4 ? AF_INET : AF_INET6)
            if let receiveBufferBytes {
                try SystemCall.setOption(descriptor, level: SOL_SOCKET, name: SO_RCVBUF, value: receiveBufferBytes)
            }
            try connect(to: endpoint)
        case .unix(let path, _):
            descriptor = try Self.socket(AF_UNIX)
            let number = descriptor
            try SocketName.withName(of: .path(path)) { (name, length) throws(Errno) in
                try SystemCall.connect(number, to: name, length: length)
            }
        }
    }

    /// A socket that is not connected yet, for `connect(to:)`.
    init(toBeConnected domain: Int32) throws {
        descriptor = try Self.socket(domain)
    }

    func connect(to endpoint: IPEndpoint) throws {
        let number = descriptor
        try SocketName.withName(of: endpoint) { (name, length) throws(Errno) in
            try SystemCall.connect(number, to: name, length: length)
        }
    }

    /// Starts TLS, and accepts any certificate.
    func startTLS() throws {
        let context = SSL_CTX_new(TLS_client_method())
        defer { SSL_CTX_free(context) }
        tls = SSL_new(context)
        SSL_set_fd(tls, descriptor)
        guard SSL_connect(tls) == 1 else { throw Errno(EPROTO) }
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

    /// - Returns: whether all bytes were sent.
    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        if let tls { return bytes.isEmpty || SSL_write(tls, bytes, Int32(bytes.count)) == bytes.count }
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

    /// The bytes of one recv(2). Empty at EOF; nil after an error or five seconds without data.
    func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        if let tls {
            let count = SSL_read(tls, &buffer, Int32(buffer.count))
            if count > 0 { return Array(buffer.prefix(Int(count))) }
            // Without a close_notify, an attacker may have ended the connection.
            return SSL_get_error(tls, count) == SSL_ERROR_ZERO_RETURN ? [] : nil
        }
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count < 0 ? nil : Array(buffer.prefix(count))
    }

    /// All bytes until EOF; nil if the peer resets the connection or does not close it.
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
        while !bytes.ends(with: "\r\n\r\n") {
            guard let byte = receiveByte() else { return nil }
            bytes.append(byte)
        }
        guard let head = RawResponse(bytes, withoutBody: true) else { return nil }
        let length = head.header("content-length").flatMap { Int($0) } ?? 0
        if withoutBody || head.status < 200 || length == 0 { return head }
        guard let body = receive(exactly: length) else { return nil }
        return RawResponse(bytes + body)
    }

    /// Reads single bytes, so that the next response stays in the kernel.
    private func receiveByte() -> UInt8? {
        var byte: UInt8 = 0
        let count = tls.map { Int(SSL_read($0, &byte, 1)) } ?? recv(descriptor, &byte, 1, 0)
        return count == 1 ? byte : nil
    }

    // MARK: Chunks

    /// The next chunk of a body: empty for the last one, nil if the body is incomplete.
    func receiveChunk() -> [UInt8]? {
        var line: [UInt8] = []
        while !line.ends(with: "\r\n") {
            guard let byte = receiveByte() else { return nil }
            line.append(byte)
        }
        guard let count = Int(String(decoding: line.dropLast(2), as: UTF8.self), radix: 16) else { return nil }
        guard let chunk = receive(exactly: count + 2), chunk.ends(with: "\r\n") else { return nil }
        return chunk.dropLast(2)
    }

    private func receive(exactly count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let result = bytes.withUnsafeMutableBytes { buffer -> Int in
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                if let tls { return Int(SSL_read(tls, rest.baseAddress, Int32(rest.count))) }
                return recv(descriptor, rest.baseAddress, rest.count, 0)
            }
            guard result > 0 else { return nil }
            filled += result
        }
        return bytes
    }

    /// All chunks of a body, and whether the last chunk was received.
    func receiveChunks() -> (bytes: [UInt8], isComplete: Bool) {
        var all: [UInt8] = []
        while let chunk = receiveChunk() {
            if chunk.isEmpty { return (all, true) }
            all += chunk
        }
        return (all, false)
    }

    func closeWritingHalf() {
        if let tls { SSL_shutdown(tls) }
        shutdown(descriptor, Int32(SHUT_WR))
    }

    func close() {
        if descriptor >= 0 { CLinux.close(descriptor) }
        descriptor = -1
        SSL_free(tls)
        tls = nil
    }

    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }
}

/// A parsed response.
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

extension Array<UInt8> {
    fileprivate func ends(with text: StaticString) -> Bool {
        text.withUTF8Buffer { suffix($0.count).elementsEqual($0) }
    }
}
