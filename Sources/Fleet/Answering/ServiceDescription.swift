internal import CheckModel
internal import ConnectAPI
internal import NATSClient
internal import NetworkTypes
internal import SocketIO
internal import StrictJSON

/// Answers `$SRV.PING`, `$SRV.INFO` and `$SRV.STATS` of the NATS services API (ADR-32), so that `nats micro` and other
/// instances find this one.
struct ServiceDescription: Sendable {
    enum Verb: String, CaseIterable {
        case ping, info, stats

        var subject: String { "$SRV.\(rawValue.uppercased())" }
        /// The member `type` of the answer.
        var type: String { "io.nats.micro.v1.\(rawValue)_response" }
    }

    let identity: FleetIdentity
    let subjects: FleetSubjects
    let outbox: FleetOutbox
    let counts: FleetAnswerCounts

    /// The answers go to all who ask, so there is no queue group.
    var subscriptions: [NATSSubscription] {
        Verb.allCases.flatMap { verb in
            let own = "\(verb.subject).\(FleetSubjects.service)"
            return [verb.subject, own, "\(own).\(identity.instance)"].map { subject in
                NATSSubscription(subject, endsWithDrain: true) { [self] message in
                    guard let replyTo = message.replyTo, subjects.mayReceiveAnswers(replyTo) else { return }
                    _ = outbox.send(NATSMessage(replyTo, payload: answer(to: verb)))
                }
            }
        }
    }

    func answer(to verb: Verb) -> [UInt8] {
        var writer = JSONWriter(reserving: 1024)
        writer.beginObject()
        writer.member("type", verb.type)
        writer.member("name", FleetSubjects.service)
        writer.member("id", identity.instance)
        writer.member("version", identity.version)
        writeMetadata(to: &writer)
        switch verb {
        case .ping: break
        case .info:
            writer.member("description", "Checks whether this place can connect to a target.")
            writeEndpoints(to: &writer) { _ in }
        case .stats:
            writer.member("started", Timestamp.text(nanosecondsSince1970: identity.startedAtNanoseconds))
            let values = counts.values
            writeEndpoints(to: &writer) { writeCounts(values, to: &$0) }
        }
        writer.endObject()
        return writer.finish()
    }

    private func writeMetadata(to writer: inout JSONWriter) {
        writer.member("metadata")
        writer.beginObject()
        writer.member("place", identity.place.text)
        for (name, value) in identity.labels.sorted(by: { $0.key < $1.key }) where name != "place" {
            writer.member(escaping: name)
            writer.string(value)
        }
        writer.endObject()
    }

    /// One endpoint, at the subject of all instances: the same checks arrive at the subject of the place.
    private func writeEndpoints(to writer: inout JSONWriter, _ more: (inout JSONWriter) -> Void) {
        writer.member("endpoints")
        writer.beginArray()
        writer.beginObject()
        writer.member("name", "check")
        writer.member("subject", subjects.anyCheck)
        writer.member("queue_group", FleetSubjects.group)
        writer.member("metadata")
        writer.beginObject()
        writer.member("place_subject", subjects.check(at: identity.place))
        writer.endObject()
        more(&writer)
        writer.endObject()
        writer.endArray()
    }

    /// Times are nanoseconds.
    private func writeCounts(_ values: FleetAnswerCounts.Values, to writer: inout JSONWriter) {
        writer.member("num_requests")
        writer.integer(Int(clamping: values.requests))
        writer.member("num_errors")
        writer.integer(Int(clamping: values.errors))
        writer.member("last_error", values.lastError)
        writer.member("processing_time")
        writer.integer(Int(values.processingNanoseconds))
        writer.member("average_processing_time")
        writer.integer(values.requests == 0 ? 0 : Int(values.processingNanoseconds) / Int(clamping: values.requests))
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ name: StaticString, _ value: String) {
        member(name)
        string(value)
    }
}
