package import ErrorCatalogue
internal import NetworkTypes
internal import StrictJSON

/// An error that a document has already as a member, and where.
struct WrittenError {
    let report: ErrorReport
    let range: Range<Int>
}

/// Writes errors, as results have them and as the catalogue explains them.
enum ErrorEncoder {
    /// The member `error`.
    /// - Parameter problems: what is wrong with the request, each with its pointer.
    static func writeMember(_ error: ErrorReport, _ problems: [JSONProblem] = [], to writer: inout JSONWriter) {
        writer.member("error")
        writer.beginObject()
        writer.member("errno")
        writer.integer(error.errno.map { Int($0.rawValue) })
        writer.member("name")
        writer.string(error.name)
        writer.member("class")
        writer.string(error.errorClass.rawValue)
        writer.member("fault")
        writer.string(error.fault.rawValue)
        writer.member("source")
        writer.string(error.source.rawValue)
        writer.member("message")
        writer.string(error.message)
        writer.member("hint")
        writer.string(error.hint)
        writer.member("retryable")
        writer.bool(error.retryable)
        if let alert = error.alert { TLSEncoder.writeMembers(alert, to: &writer) }
        if let received = error.received {
            writer.member("received")
            writer.printable(received)
        }
        if !problems.isEmpty { writeMember(problems, to: &writer) }
        writer.endObject()
    }

    /// The member `errors`: invalid inputs with their pointers.
    static func writeMember(_ problems: [JSONProblem], to writer: inout JSONWriter) {
        writer.member("errors")
        writer.beginArray()
        for problem in problems {
            writer.beginObject()
            writer.member("pointer")
            writer.string(problem.pointer)
            writer.member("detail")
            writer.string(problem.detail)
            writer.endObject()
        }
        writer.endArray()
    }

    /// One entry of the catalogue.
    static func write(_ entry: ErrorCatalogueEntry, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("name")
        writer.string(entry.name)
        writer.member("errno")
        writer.integer(entry.errno.map { Int($0.rawValue) })
        writer.member("class")
        writer.string(entry.errorClass.rawValue)
        writer.member("fault")
        writer.string(entry.fault.rawValue)
        writer.member("retryable")
        writer.bool(entry.retryable)
        writer.member("message")
        writer.string(entry.message)
        writer.member("when")
        writer.string(entry.when)
        writer.member("linux")
        writer.string(entry.linux)
        writer.member("hint")
        writer.string(entry.hint)
        writer.member("manual_page")
        writer.bool(entry.inManualPage)
        writer.endObject()
    }
}

/// The errno catalogue as JSON: what `/v1/errors` answers and `connectd errors --json` prints.
package enum CatalogueDocument {
    /// The whole table, or the entries given, followed by a newline.
    package static func list(_ entries: [ErrorCatalogueEntry] = ErrnoCatalogue.entries) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("errors")
        writer.beginArray()
        for entry in entries { ErrorEncoder.write(entry, to: &writer) }
        writer.endArray()
        writer.endObject()
        return writer.finishLine()
    }

    /// One entry, followed by a newline.
    package static func bytes(of entry: ErrorCatalogueEntry) -> [UInt8] {
        var writer = JSONWriter()
        ErrorEncoder.write(entry, to: &writer)
        return writer.finishLine()
    }

    /// - Parameter name: a name in any case, or a number.
    package static func entry(_ name: String) -> ErrorCatalogueEntry? {
        if name.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return Int32(name).flatMap { ErrnoCatalogue.entry(for: Errno($0)) }
        }
        return ErrnoCatalogue.entry(named: name)
    }
}

/// Writes how a check or an attempt ended: `outcome` and `phase`.
enum OutcomeEncoder {
    static func write(_ outcome: Outcome, _ phase: Phase, to writer: inout JSONWriter) {
        if outcome == .connected, phase == .done {
            writer.piece("\"outcome\":\"connected\",\"phase\":\"done\",")
        } else {
            writer.member("outcome")
            writer.string(outcome.word)
            writer.member("phase")
            writer.string(phase.rawValue)
        }
    }
}
