internal import NetworkTypes
internal import StrictJSON

/// Reads a target: a string or an object.
enum TargetDecoder {
    static func target(_ cursor: inout JSONCursor) -> Target? {
        switch cursor.value {
        case .string(let text):
            return parse(text, reportingTo: &cursor)
        case .object:
            return cursor.object(object)
        case .null, .bool, .integer, .number, .array:
            cursor.reportMismatch(expected: "a string or an object")
            return nil
        }
    }

    private static func parse(_ text: String, reportingTo cursor: inout JSONCursor) -> Target? {
        do throws(TargetError) {
            return try Target(parsing: text)
        } catch {
            cursor.report(error.detail)
            return nil
        }
    }

    private static func object(_ reader: inout JSONObjectReader) -> Target? {
        reader.require("transport")
        switch reader.enumeration("transport", Transport.self) {
        case .tcp: return internet(&reader, as: .tcp)
        case .udp: return internet(&reader, as: .udp)
        case .unix: return unix(&reader)
        case nil:
            // The transport is invalid, so do not report these names as unknown.
            for name: StaticString in ["host", "port", "socket_type", "path"] { _ = reader.value(name) }
            return nil
        }
    }

    private static func internet(_ reader: inout JSONObjectReader, as transport: Transport) -> Target? {
        reader.require("host")
        reader.require("port")
        let host = reader.string("host")
        let port = reader.member("port", port)
        guard let host, let port else { return nil }
        do throws(TargetError) {
            return try Target(transport: transport.rawValue, host: host, port: port)
        } catch {
            reader.report(error.member?.rawValue ?? "host", error.detail)
            return nil
        }
    }

    private static func port(_ cursor: inout JSONCursor) -> TargetPort? {
        switch cursor.value {
        case .integer, .number: return cursor.integer(in: 1...65535).map(TargetPort.number)
        case .string(let name): return .name(name)
        case .null, .bool, .array, .object:
            cursor.reportMismatch(expected: "an integer from 1 to 65535 or a port name")
            return nil
        }
    }

    private static func unix(_ reader: inout JSONObjectReader) -> Target? {
        reader.require("path")
        let type = reader.enumeration("socket_type", UnixSocketType.self) ?? .stream
        guard let path = reader.string("path") else { return nil }
        do throws(TargetError) {
            return try Target(socketType: type, path: path)
        } catch {
            reader.report("path", error.detail)
            return nil
        }
    }
}

/// Foreign text in quotation marks, on one line.
package enum QuotedText {
    /// Escapes quotation marks, backslashes, line ends and tabs with a backslash.
    /// - Parameter escape: the replacement of any other scalar; nil keeps the scalar.
    package static func text(_ text: some StringProtocol, escape: (Unicode.Scalar) -> String?) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _:
                if let escaped = escape(scalar) {
                    result += escaped
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }

    /// The same, with controls and bidirectional marks as `\u{1b}`.
    package static func text(_ text: some StringProtocol) -> String {
        self.text(text) { isControl($0) ? "\\u{\(String($0.value, radix: 16))}" : nil }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        case _: false
        }
    }
}
