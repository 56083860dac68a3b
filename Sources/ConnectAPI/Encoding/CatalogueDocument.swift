package import CheckModel
internal import StrictJSON

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
