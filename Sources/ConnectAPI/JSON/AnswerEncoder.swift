internal import CheckModel
internal import NetworkTypes
internal import StrictJSON

/// Writes what a server answered to the question of a preset.
struct AnswerEncoder {
    /// Whether to omit the prober's own address, which a STUN server tells.
    let hidesLocal: Bool

    func writeMember(_ answer: PresetAnswer, to writer: inout JSONWriter) {
        writer.member("answer")
        writer.beginObject()
        writer.member("preset")
        writer.string(answer.preset.rawValue)
        writer.member("bytes")
        writer.integer(answer.byteCount)
        switch answer.content {
        case .dns(let answer): write(answer, to: &writer)
        case .ntp(let answer): write(answer, to: &writer)
        case .stun(let answer): write(answer, to: &writer)
        case .snmp(let answer): write(answer, to: &writer)
        case .ike(let answer): write(answer, to: &writer)
        case .quic(let answer): writeVersions(answer.versions, to: &writer)
        }
        writer.endObject()
    }

    private func write(_ answer: DNSAnswer, to writer: inout JSONWriter) {
        writer.member("rcode")
        writer.string(answer.responseCodeName)
        writer.member("aa")
        writer.bool(answer.isAuthoritative)
        writer.member("tc")
        writer.bool(answer.isTruncated)
        writer.member("ra")
        writer.bool(answer.isRecursionAvailable)
        writer.member("answers")
        writer.integer(answer.answerCount)
    }

    private func write(_ answer: NTPAnswer, to writer: inout JSONWriter) {
        writer.member("version")
        writer.integer(Int(answer.version))
        writer.member("leap")
        writer.integer(Int(answer.leap))
        writer.member("stratum")
        writer.integer(Int(answer.stratum))
        writer.member("reference_id")
        writer.string(answer.referenceID)
        writer.member("kiss_code")
        writer.string(answer.kissCode)
        writer.member("precision")
        writer.integer(Int(answer.precision))
        writer.member("root_delay_ms")
        writer.milliseconds(nanoseconds: answer.rootDelayNanoseconds)
        writer.member("root_dispersion_ms")
        writer.milliseconds(nanoseconds: answer.rootDispersionNanoseconds)
        writer.member("offset_ms")
        writeMilliseconds(answer.measurement?.offsetNanoseconds, to: &writer)
        writer.member("delay_ms")
        writeMilliseconds(answer.measurement?.delayNanoseconds, to: &writer)
    }

    private func writeMilliseconds(_ nanoseconds: Int64?, to writer: inout JSONWriter) {
        if let nanoseconds { writer.milliseconds(nanoseconds: nanoseconds) } else { writer.null() }
    }

    private func write(_ answer: STUNAnswer, to writer: inout JSONWriter) {
        if !hidesLocal {
            writer.member("mapped_address")
            write(answer.mappedAddress, to: &writer)
        }
        writer.member("software")
        writePrintable(answer.software, to: &writer)
        writer.member("error_code")
        writer.integer(answer.errorCode)
        writer.member("reason")
        writePrintable(answer.reason, to: &writer)
    }

    private func write(_ endpoint: IPEndpoint?, to writer: inout JSONWriter) {
        guard let endpoint else { return writer.null() }
        writer.beginObject()
        writer.member("address")
        writer.address(endpoint.address)
        writer.member("port")
        writer.integer(Int(endpoint.port))
        writer.endObject()
    }

    private func writePrintable(_ text: [UInt8]?, to writer: inout JSONWriter) {
        if let text { writer.printable(text) } else { writer.null() }
    }

    private func write(_ answer: SNMPAnswer, to writer: inout JSONWriter) {
        writer.member("engine_id")
        writer.string(HexText.text(answer.engineID))
        writer.member("engine_boots")
        writer.integer(answer.engineBoots)
        writer.member("engine_time_seconds")
        writer.integer(answer.engineTimeSeconds)
    }

    private func write(_ answer: IKEAnswer, to writer: inout JSONWriter) {
        writer.member("proposal_accepted")
        writer.bool(answer.acceptsProposal)
        writer.member("notify")
        writer.beginArray()
        for notification in answer.notifications {
            writer.beginObject()
            writer.member("type")
            writer.integer(Int(notification.type))
            writer.member("name")
            writer.string(notification.name)
            if let group = notification.group {
                writer.member("group")
                writer.integer(Int(group))
            }
            writer.endObject()
        }
        writer.endArray()
        writer.member("vendor_ids")
        writer.beginArray()
        for vendorID in answer.vendorIDs { writer.string(HexText.text(vendorID)) }
        writer.endArray()
    }

    private func writeVersions(_ versions: [UInt32], to writer: inout JSONWriter) {
        writer.member("versions")
        writer.beginArray()
        for version in versions { writer.string(HexText.version(version)) }
        writer.endArray()
    }
}
