internal import CheckEngine
internal import CheckModel
internal import StrictJSON

/// Reads the bodies of requests.
enum BodyDecoder {
    @inline(never)
    static func check(_ body: [UInt8], under settings: ServiceSettings) throws(Problem) -> PreparedCheck {
        let document = try document(body)
        do throws(JSONProblems) {
            return try CheckDecoder.decode(
                document, maximumTimeoutMilliseconds: settings.maximumTimeoutMilliseconds)
        } catch {
            throw Problem(error)
        }
    }

    /// A destination of `/v1/routes`, as it was written and as it was understood.
    struct Destination {
        let text: String
        let address: IPAddress
    }

    static func destinations(_ body: [UInt8]) throws(Problem) -> [Destination] {
        let document = try document(body)
        do throws(JSONProblems) {
            return try JSONObjectReader.decode(document) { reader in
                reader.require("destinations")
                return reader.array("destinations", count: 1...1000, destination)
            }
        } catch {
            throw Problem(error)
        }
    }

    private static func destination(_ cursor: inout JSONCursor) -> Destination? {
        guard let text = cursor.string() else { return nil }
        guard let address = IPAddress(parsing: text) else {
            cursor.report("must be an address, such as 10.0.0.7 or 2001:db8::7, not a name")
            return nil
        }
        return Destination(text: text, address: address)
    }

    /// Far more values than any valid body has: a body of 16 MiB full of them would take the worker for seconds.
    private static let limits = JSONLimits(values: 16_384)

    private static func document(_ body: [UInt8]) throws(Problem) -> JSONValue {
        do throws(JSONSyntaxError) {
            return try JSONValue.parse(body, limits: limits)
        } catch {
            throw Problem(error)
        }
    }
}
