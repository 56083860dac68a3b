internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO
internal import StrictJSON

/// What the result of an invalid check echoes, as far as it could be read.
struct BatchEcho {
    let id: String?
    let labels: [Label]?
    /// The target as it was written; empty if it is not a string.
    let target: String

    /// A longer target is cut off: `defaults` may add it to every check.
    private static let longestTarget = 512

    init(_ request: CheckRequest) {
        id = request.id
        labels = request.labels
        target = request.target.text
    }

    init(_ object: JSONObject) {
        id = object["id"].flatMap { value in
            var cursor = JSONCursor(value)
            return cursor.string(maximumLength: 1024)
        }
        labels = object["labels"].flatMap { value in
            var cursor = JSONCursor(value)
            return cursor.stringMap(maximumMembers: 64, maximumLength: 1024)?
                .map { Label(name: $0.key, value: $0.value) }
        }
        if case .string(let text)? = object["target"] {
            target = String(text.prefix(Self.longestTarget))
        } else {
            target = ""
        }
    }
}

/// A check of a batch that does not run, because it is invalid or uses what is not allowed.
struct RefusedItem {
    let echo: BatchEcho
    let problems: [JSONProblem]
    let report: ErrorReport
    let isOK: Bool
    /// Where it should have run; nil for a batch without `from`.
    var destination: BatchPlaces.Destination?

    /// The error of the catalogue; its hint names the inputs.
    static func report(_ reason: OwnError, _ problems: [JSONProblem]) -> ErrorReport {
        let report = Classifier.report(for: reason)
        let list = problems.prefix(3).map { "\($0.pointer) \($0.detail)" }.joined(separator: "; ")
        let more = problems.count > 3 ? "; and \(problems.count - 3) more" : ""
        let end = more.isEmpty && list.hasSuffix("?") ? "" : "."
        return ErrorReport(
            errno: report.errno, name: report.name, errorClass: report.errorClass, fault: report.fault,
            source: report.source, message: report.message, hint: "Correct this check: \(list)\(more)\(end)",
            retryable: report.retryable)
    }
}

/// Writes the results of a batch, each as one piece of the response.
struct BatchEncoder: Sendable {
    let form: BatchForm
    let results: ResultEncoder
    let origin: RequestOrigin?

    /// - Parameter place: where it ran; nil for a batch without `from`.
    func bytes(of index: Int, _ result: CheckResult, of request: CheckRequest, at place: String?) -> [UInt8] {
        var writer = JSONWriter(reserving: result.error == nil ? 1024 : 2560)
        results.write(result, of: request, hiding: nil, index: shown(index), place: place, to: &writer)
        return finish(writer)
    }

    /// The result as the place sent it, which may have members that this version does not know.
    func bytes(of index: Int, _ result: RemoteResult) -> [UInt8] {
        var writer = JSONWriter(reserving: 2560)
        writer.beginObject()
        writer.member("schema")
        writer.value(result.document["schema"] ?? .integer(1))
        if let index = shown(index) {
            writer.member("index")
            writer.integer(index)
        }
        results.write(place: result.place.text, to: &writer)
        for member in result.document.members where !Self.ownMembers.contains(member.key) {
            writer.member(escaping: member.key)
            writer.value(member.value)
        }
        writer.endObject()
        return finish(writer)
    }

    /// Members that the result of another place cannot set.
    private static let ownMembers: Set<String> = ["schema", "index", "place"]

    func bytes(of index: Int, _ item: RefusedItem) -> [UInt8] {
        var writer = JSONWriter()
        writer.piece("{\"schema\":1,", opening: 1)
        if let index = shown(index) { results.write(index: index, to: &writer) }
        if let destination = item.destination { results.write(place: destination.text, to: &writer) }
        results.writeEcho(id: item.echo.id, labels: item.echo.labels, target: item.echo.target, to: &writer)
        writer.piece(item.isOK ? "\"ok\":true," : "\"ok\":false,")
        OutcomeEncoder.write(.failed(item.report.errorClass), .policy, to: &writer)
        ErrorEncoder.writeMember(item.report, item.problems, to: &writer)
        writer.piece("\"attempts\":")
        writer.beginArray()
        writer.endArray()
        results.writeEnd(Timings(), Clock.wallNanoseconds(), origin, to: &writer)
        return finish(writer)
    }

    private func shown(_ index: Int) -> Int? {
        switch form {
        case .document: nil
        case .lines: index
        }
    }

    private func finish(_ writer: consuming JSONWriter) -> [UInt8] {
        switch form {
        case .document: writer.finish()
        case .lines: writer.finishLine()
        }
    }
}

/// The counts of a batch: the member `summary`.
struct BatchSummary {
    private var counts: [Outcome: Int] = [:]
    private var okCount = 0
    private(set) var total = 0

    mutating func note(_ outcome: Outcome, isOK: Bool) {
        counts[outcome, default: 0] += 1
        total += 1
        if isOK { okCount += 1 }
    }

    func write(durationNanoseconds: Int64, to writer: inout JSONWriter) {
        writer.member("summary")
        writer.beginObject()
        writer.member("total")
        writer.integer(total)
        writer.member("ok")
        writer.integer(okCount)
        writer.member("by_outcome")
        writer.beginObject()
        for outcome in Outcome.all {
            guard let count = counts[outcome] else { continue }
            writer.member(escaping: outcome.word)
            writer.integer(count)
        }
        writer.endObject()
        writer.member("duration_ms")
        writer.milliseconds(nanoseconds: durationNanoseconds)
        writer.endObject()
    }
}
