internal import CLinux
internal import CMicrohttpd

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
