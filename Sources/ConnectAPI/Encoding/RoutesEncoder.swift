internal import CheckEngine
internal import CheckModel
internal import StrictJSON

/// Writes the answer of `/v1/routes`.
enum RoutesEncoder {
    static func document(_ answers: [RouteAnswer], as texts: [String], hidesLocal: Bool) -> [UInt8] {
        var writer = JSONWriter(reserving: 128 * answers.count)
        writer.beginObject()
        writer.member("routes")
        writer.beginArray()
        for (answer, text) in zip(answers, texts) {
            writer.beginObject()
            writer.member("destination")
            writer.string(text)
            writer.member("local")
            if let local = answer.local, !hidesLocal {
                writer.beginObject()
                writer.member("address")
                writer.string(local.text)
                writer.endObject()
            } else {
                writer.null()
            }
            if let error = answer.error { ErrorEncoder.writeMember(error, to: &writer) }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.finishLine()
    }
}
