internal import CheckEngine
internal import CheckModel
internal import StrictJSON

/// A decoded batch, without its checks: each of them is decoded when it starts.
struct BatchRequest {
    var items: BatchItems
    var options: BatchOptions
    /// Where the checks run; nil for here.
    var from: BatchPlaces?
}

/// Reads the body of a batch, except its checks.
enum BatchDecoder {
    /// Checks in flight, if the request says nothing.
    static let defaultConcurrency = 512

    /// What all checks in flight may have of the defaults, in bytes.
    private static let inFlightBytes = 32 << 20

    /// More values than `defaults` and the other members of a valid body have.
    private static let limits = JSONLimits(values: 16_384)

    /// - Throws: 400, if the body is not a batch. An invalid check is not a reason.
    static func batch(_ body: [UInt8], under settings: ServiceSettings) throws(Problem) -> BatchRequest {
        let outline = try outline(of: body, maximumElements: settings.batchChecks)
        do throws(JSONProblems) {
            return try JSONObjectReader.decode(outline.document) { reader in
                batch(&reader, outline, body, settings)
            }
        } catch {
            throw Problem(error)
        }
    }

    private static func outline(of body: [UInt8], maximumElements: Int) throws(Problem) -> JSONOutline {
        do throws(JSONSyntaxError) {
            return try JSONOutline.parse(body, deferring: "checks", maximumElements: maximumElements, limits: limits)
        } catch {
            throw Problem(error)
        }
    }

    private static func batch(
        _ reader: inout JSONObjectReader, _ outline: JSONOutline, _ body: [UInt8], _ settings: ServiceSettings
    ) -> BatchRequest? {
        reader.require("checks")
        let elements = reader.member("checks") { checks(&$0, outline, settings.batchChecks) }
        let defaults = reader.member("defaults") { Self.defaults(&$0, settings) }
        let concurrency = reader.integer("concurrency", in: 1...Int.max)
        let rate = reader.member("rate_per_second", rate)
        let perHost = reader.integer("per_host", in: 0...Int.max)
        let retries = reader.integer("retry_timeouts", in: 0...3)
        let from = reader.member("from") { BatchPlaces.decode(&$0, fleet: settings.fleet) }
        guard let elements else { return nil }
        var options = BatchOptions(concurrency: concurrency ?? defaultConcurrency)
        options.ratePerSecond = rate ?? 0
        options.perHost = perHost ?? 0
        options.timeoutRetries = retries ?? 0
        let common = defaults ?? JSONObject(members: [])
        // Each check in flight has a copy of the defaults, and its result may echo them with escapes of six bytes.
        let echo = 6 * JSONValue.object(common).textBytes
        if echo > 0 { options.concurrency = min(options.concurrency, max(inFlightBytes / echo, 1)) }
        return BatchRequest(
            items: BatchItems(body: body, ranges: elements, defaults: common), options: options, from: from)
    }

    /// Where the checks are.
    private static func checks(_ cursor: inout JSONCursor, _ outline: JSONOutline, _ limit: Int) -> [Range<Int>]? {
        guard let elements = outline.elements else {
            cursor.reportMismatch(expected: "an array of checks")
            return nil
        }
        guard outline.elementCount <= limit else {
            cursor.report("must have at most \(limit) checks (limits.batch), got \(outline.elementCount)")
            return nil
        }
        return elements
    }

    private static func rate(_ cursor: inout JSONCursor) -> Double? {
        switch cursor.value {
        case .integer(let integer) where integer >= 0: return Double(integer)
        case .number(let number) where number >= 0: return number
        case .integer, .number:
            cursor.report("must not be negative; 0 means no limit")
            return nil
        case .null, .bool, .string, .array, .object:
            cursor.reportMismatch(expected: "a number of checks")
            return nil
        }
    }

    /// Reports what is wrong with the defaults themselves, once for all checks.
    private static func defaults(_ cursor: inout JSONCursor, _ settings: ServiceSettings) -> JSONObject? {
        guard case .object(let object) = cursor.value else {
            cursor.reportMismatch(expected: "an object with members of a check")
            return nil
        }
        let size = cursor.value.textBytes
        guard size <= ServiceResources.checkBodyBytes else {
            let limit = ServiceResources.checkBodyBytes
            cursor.report("must have at most \(limit) bytes of names and strings, got \(size)")
            return nil
        }
        return cursor.object { reader in
            let tls = CheckDecoder.defaults(
                &reader, maximumTimeoutMilliseconds: settings.maximumTimeoutMilliseconds)
            guard let tls else { return object }
            for problem in RequestPermissions.unknownNames(in: tls, of: settings.checkContext.tls) {
                reader.report(at: problem.pointer.split(separator: "/").map(String.init), problem.detail)
            }
            return object
        }
    }
}

extension JSONValue {
    /// The bytes of all names and strings in it, as UTF-8.
    fileprivate var textBytes: Int {
        switch self {
        case .null, .bool, .integer, .number: 0
        case .string(let text): text.utf8.count
        case .array(let values): values.reduce(0) { $0 + $1.textBytes }
        case .object(let object): object.members.reduce(0) { $0 + $1.key.utf8.count + $1.value.textBytes }
        }
    }
}
