internal import CheckModel
internal import StrictJSON

/// Writes how a dialog went.
enum DialogEncoder {
    static func writeMember(_ dialog: DialogReport, to writer: inout JSONWriter) {
        writer.member("dialog")
        writer.beginObject()
        writer.member("steps")
        writer.beginArray()
        for (index, step) in dialog.steps.enumerated() { write(step, index, to: &writer) }
        writer.endArray()
        writer.member("groups")
        writer.beginObject()
        for group in dialog.groups {
            writer.member(escaping: group.name)
            writer.string(group.value)
        }
        writer.endObject()
        writer.member("failed_step")
        writer.integer(dialog.failedStep)
        writer.endObject()
    }

    private static func write(_ step: DialogStepReport, _ index: Int, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("step")
        writer.integer(index)
        writer.member("kind")
        writer.string(step.kind.rawValue)
        writer.member("ok")
        writer.bool(step.ok)
        writer.member("duration_ms")
        writer.milliseconds(nanoseconds: step.durationNanoseconds)
        writer.member("bytes")
        writer.integer(step.bytes)
        if let detail = step.detail {
            writer.member("detail")
            writer.string(detail)
        }
        if let received = step.received {
            writer.member("received")
            writer.printable(received)
        }
        writer.endObject()
    }
}
