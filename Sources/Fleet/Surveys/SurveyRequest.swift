package import CheckEngine
internal import CheckModel
package import ConnectAPI
internal import StrictJSON

/// A decoded survey: a check, and where to run it.
package struct SurveyRequest: Sendable {
    package var check: PreparedCheck
    /// The check as it is sent to other places: the body of `POST /v1/checks`.
    package var body: [UInt8]
    /// Never empty.
    package var from: [VantageSelector]
    /// How many results must count, at least 1.
    package var quorum = 1
    /// How much longer than its check a place may take to answer.
    package var graceMilliseconds = defaultGraceMilliseconds

    package static let defaultGraceMilliseconds = 1000
    package static let graceRange = 0...60_000

    package init(check: PreparedCheck, body: [UInt8], from: [VantageSelector]) {
        self.check = check
        self.body = body
        self.from = from
    }

    /// How long a place may take to answer: all rounds of the check, its trace, and the grace.
    package var limitMilliseconds: Int { check.request.longestMillisecondsWithTrace + graceMilliseconds }
}

/// Reads the body of `POST /v1/surveys`.
enum SurveyDecoder {
    /// The longest check, in bytes, as in `POST /v1/checks`.
    static let checkBytes = 65_536
    /// Room for the longest check, and for the longest names of 1,000 places.
    static let bodyBytes = checkBytes + VantageSelector.maximumPlaces * 80

    /// More values than any valid body has.
    private static let limits = JSONLimits(values: 16_384)

    /// - Parameter hasFleet: whether other places can be asked.
    static func decode(
        _ body: [UInt8], maximumTimeoutMilliseconds: Int, hasFleet: Bool
    ) throws(Problem) -> SurveyRequest {
        let document: JSONValue
        do throws(JSONSyntaxError) {
            document = try JSONValue.parse(body, limits: limits)
        } catch {
            throw Problem(error)
        }
        do throws(JSONProblems) {
            return try JSONObjectReader.decode(document) { reader in
                survey(&reader, maximumTimeoutMilliseconds, hasFleet)
            }
        } catch {
            throw Problem(error)
        }
    }

    private static func survey(
        _ reader: inout JSONObjectReader, _ maximumTimeout: Int, _ hasFleet: Bool
    ) -> SurveyRequest? {
        reader.require("check")
        let check = reader.member("check") { self.check(&$0, maximumTimeout) }
        let from = reader.array("from", count: 1...VantageSelector.maximumPlaces) { selector(&$0, hasFleet) }
        let quorum = reader.integer("quorum", in: 1...VantageSelector.maximumPlaces)
        let grace = reader.integer("grace_ms", in: SurveyRequest.graceRange)
        guard let check else { return nil }
        var request = SurveyRequest(check: check.prepared, body: check.body, from: from ?? [.here])
        request.quorum = quorum ?? request.quorum
        request.graceMilliseconds = grace ?? request.graceMilliseconds
        return request
    }

    private static func check(
        _ cursor: inout JSONCursor, _ maximumTimeout: Int
    ) -> (prepared: PreparedCheck, body: [UInt8])? {
        var writer = JSONWriter()
        writer.value(cursor.value)
        let body = writer.finish()
        guard body.count <= checkBytes else {
            cursor.report("must have at most \(checkBytes) bytes, got \(body.count)")
            return nil
        }
        do throws(JSONProblems) {
            return (
                try CheckDecoder.decode(cursor.value, maximumTimeoutMilliseconds: maximumTimeout), body
            )
        } catch {
            cursor.problems.appendAll(error)
            return nil
        }
    }

    private static func selector(_ cursor: inout JSONCursor, _ hasFleet: Bool) -> VantageSelector? {
        if cursor.value == .string("any") {
            cursor.report("must not be any, because a survey compares places: name them, or select them by labels")
            return nil
        }
        guard let selector = VantageSelector.decode(&cursor) else { return nil }
        if selector != .here, !hasFleet {
            cursor.report("needs a fleet: add the key fleet to the configuration, or write only here")
            return nil
        }
        return selector
    }
}
