internal import CLinux
internal import CMicrohttpd

/// Makes the library's response objects.
enum LibraryResponse {
    /// A struct MHD_Response, whose reference the caller drops with MHD_destroy_response(3).
    /// - Parameter stream: sends the body if it is a stream; the result keeps a reference to it.
    /// - Returns: nil if there is no memory, or a header has control characters.
    static func make(_ response: Response, mustClose: Bool, stream: BodyStream?) -> OpaquePointer? {
        guard let result = stream.map(make) ?? make(response.body) else { return nil }
        if stream?.hasBody == false { _ = connectd_mhd_end_with_connection(result) }
        for header in response.headers {
            // `withCString` passes the string's own bytes; the implicit conversion would copy them.
            let isTaken = header.name.withCString { name in
                header.value.withCString { MHD_add_response_header(result, name, $0) == .YES }
            }
            guard isTaken else {
                MHD_destroy_response(result)
                return nil
            }
        }
        if mustClose { MHD_add_response_header(result, "Connection", "close") }
        return result
    }

    private static func make(_ body: Response.Body) -> OpaquePointer? {
        switch body {
        case .bytes(let bytes):
            return bytes.withUnsafeBytes {
                // SAFETY: the library copies the bytes in this call, although its parameter is not const.
                MHD_create_response_from_buffer(
                    $0.count, UnsafeMutableRawPointer(mutating: $0.baseAddress), .RESPMEM_MUST_COPY)
            }
        case .shared(let body):
            let reference = Unmanaged.passRetained(body).toOpaque()
            // SAFETY: the library only reads the memory, which is valid until `releaseBody` drops the reference.
            let result = MHD_create_response_from_buffer_with_free_callback_cls(
                body.count, UnsafeMutableRawPointer(mutating: body.bytes.baseAddress), releaseBody, reference)
            if result == nil { releaseBody(reference) }
            return result
        case .stream: return nil
        }
    }

    /// The library calls `onStream` whenever it could send more of the body. It never gets any; `BodyStream` explains
    /// why.
    private static func make(_ stream: BodyStream) -> OpaquePointer? {
        let reference = Unmanaged.passRetained(stream).toOpaque()
        let result = MHD_create_response_from_callback(
            connectd_mhd_size_unknown, 1, onStream, reference, releaseStream)
        if result == nil { releaseStream(reference) }
        return result
    }
}

private func releaseStream(_ reference: UnsafeMutableRawPointer?) {
    guard let reference else { return }
    // SAFETY: the reference that `make` took. The library calls this once, when it frees the response.
    Unmanaged<BodyStream>.fromOpaque(reference).release()
}

private func releaseBody(_ reference: UnsafeMutableRawPointer?) {
    guard let reference else { return }
    // SAFETY: the reference that `make` took. The library calls this once, when it frees the response.
    Unmanaged<SharedBody>.fromOpaque(reference).release()
}

/// Writes a response directly to the socket where the library cannot send one: in the middle of a request body, at a
/// deadline, or on a connection that the library does not have. The connection is closed after it.
enum PlainAnswer {
    /// Sends as much as the socket takes at once. If no other response is being sent, that is all of it.
    static func send(_ response: Response, to descriptor: Int32, withoutBody: Bool) {
        let bytes = bytes(of: response, withoutBody: withoutBody)
        _ = bytes.withUnsafeBytes {
            CLinux.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
    }

    static func bytes(of response: Response, withoutBody: Bool) -> [UInt8] {
        var text = "HTTP/1.1 \(response.status) \(reason(of: response.status))\r\n"
        text += "Connection: close\r\nContent-Length: \(response.body.count ?? 0)\r\nDate: \(date())\r\n"
        for header in response.headers {
            text += "\(header.name): \(header.value)\r\n"
        }
        var bytes = Array((text + "\r\n").utf8)
        if withoutBody { return bytes }
        switch response.body {
        case .bytes(let body): bytes += body
        case .shared(let body): bytes += body.bytes
        // HTTPDaemon.plainly has replaced it by a problem.
        case .stream: break
        }
        return bytes
    }

    private static func reason(of status: Int) -> String {
        MHD_get_reason_phrase_for(UInt32(status)).map { String(cString: $0) } ?? "Unknown"
    }

    /// IMF-fixdate (RFC 9110, section 5.6.7).
    private static func date() -> String {
        var seconds = time(nil)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let day = "\(days[Int(parts.tm_wday)]), \(twoDigits(parts.tm_mday)) \(months[Int(parts.tm_mon)])"
        let clock = "\(twoDigits(parts.tm_hour)):\(twoDigits(parts.tm_min)):\(twoDigits(parts.tm_sec))"
        return "\(day) \(parts.tm_year + 1900) \(clock) GMT"
    }

    private static func twoDigits(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
