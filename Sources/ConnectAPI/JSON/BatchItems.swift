internal import CheckEngine
internal import CheckModel
internal import NetworkTypes
package import StrictJSON

/// The checks of a batch in the bytes of its request. Each is decoded when it starts, so that those that wait take no
/// memory beyond the body.
struct BatchItems: Sendable {
    let body: [UInt8]
    /// Where each check is in the body.
    let ranges: [Range<Int>]
    /// Members for the checks that do not have them.
    let defaults: JSONObject

    var count: Int { ranges.count }

    /// The longest check, in bytes, as in `POST /v1/checks`.
    private static let longestItem = ServiceResources.checkBodyBytes
    /// More values than any valid check has.
    private static let limits = JSONLimits(values: 4096)
    /// Why a check does not run.
    struct Refusal: Error {
        /// What can be echoed; an empty object if the check is not one.
        let object: JSONObject
        /// With pointers that start at the body of the batch.
        let problems: [JSONProblem]
    }

    /// Decodes one check, with the defaults.
    func check(_ index: Int, maximumTimeoutMilliseconds: Int) throws(Refusal) -> PreparedCheck {
        if let check = plainCheck(index, maximumTimeoutMilliseconds) { return check }
        let object = try object(index)
        do throws(JSONProblems) {
            return try CheckDecoder.decode(
                .object(object), maximumTimeoutMilliseconds: maximumTimeoutMilliseconds)
        } catch {
            throw Refusal(object: object, problems: Self.located(error.problems, in: index))
        }
    }

    // MARK: Plain checks

    /// Decodes a check that has only a target, as most have, from its bytes: no value in between is made.
    /// - Returns: nil for any other check, and for one with a problem.
    private func plainCheck(_ index: Int, _ maximumTimeoutMilliseconds: Int) -> PreparedCheck? {
        guard defaults.members.isEmpty || timeoutOfDefaults != nil, let target = plainTarget(in: ranges[index]) else {
            return nil
        }
        return CheckDecoder.plain(
            target, timeoutMilliseconds: timeoutOfDefaults, maximumTimeoutMilliseconds: maximumTimeoutMilliseconds)
    }

    /// The timeout, if the defaults have nothing else.
    private var timeoutOfDefaults: Int? {
        guard defaults.members.count == 1, defaults.members[0].key == "timeout_ms" else { return nil }
        return defaults.members[0].value.wholeNumber.map(Int.init)
    }

    /// The text of the target in `{"target":"…"}`, if it needs no unescaping.
    private func plainTarget(in range: Range<Int>) -> String? {
        let bytes = body.span.extracting(range)
        guard var begin = bytes.end(of: "{\"target\":", at: 0) else { return nil }
        if bytes.count > begin, bytes[begin] == UInt8(ascii: " ") { begin += 1 }
        let end = bytes.count - 2
        guard begin < end, bytes[begin] == UInt8(ascii: "\""), bytes[end] == UInt8(ascii: "\""),
            bytes[end + 1] == UInt8(ascii: "}")
        else { return nil }
        let text = bytes.extracting(begin + 1..<end)
        for place in text.indices {
            let byte = text[place]
            guard byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else { return nil }
        }
        return text.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }

    /// The host of one check for the limit `per_host`; empty if it has no valid target.
    func hostKey(_ index: Int) -> String {
        guard let object = try? object(index), let target = object["target"] else { return "" }
        var cursor = JSONCursor(target)
        return TargetDecoder.target(&cursor)?.hostKey ?? ""
    }

    /// Problems whose pointers start at one check, with pointers that start at the body.
    static func located(_ problems: [JSONProblem], in index: Int) -> [JSONProblem] {
        problems.map { JSONProblem(pointer: "/checks/\(index)\($0.pointer)", detail: $0.detail) }
    }

    /// One valid check as the body of `POST /v1/checks`, with the defaults; nil if it is too long for one.
    func body(of index: Int) -> [UInt8]? {
        guard let object = try? object(index) else { return nil }
        var writer = JSONWriter()
        writer.value(.object(object))
        let body = writer.finish()
        return body.count <= Self.longestItem ? body : nil
    }

    /// The members of one check, with the defaults.
    private func object(_ index: Int) throws(Refusal) -> JSONObject {
        let range = ranges[index]
        guard range.count <= Self.longestItem else {
            throw refusal(
                of: index, "", "must have at most \(Self.longestItem) bytes, got \(range.count)")
        }
        let value: JSONValue
        do throws(JSONSyntaxError) {
            value = try JSONValue.parse(body.span.extracting(range), limits: Self.limits)
        } catch {
            throw refusal(of: index, error.pointer, error.detail)
        }
        guard case .object(let object) = value else {
            throw refusal(of: index, "", "must be an object, got \(value.kindDescription)")
        }
        return defaults.members.isEmpty ? object : object.check(filledFrom: defaults)
    }

    private func refusal(of index: Int, _ pointer: String, _ detail: String) -> Refusal {
        Refusal(
            object: JSONObject(members: []),
            problems: Self.located([JSONProblem(pointer: pointer, detail: detail)], in: index))
    }
}

extension Span<UInt8> {
    /// Where a text ends that begins at a place; nil if another one is there.
    fileprivate func end(of text: StaticString, at begin: Int) -> Int? {
        let length = text.utf8CodeUnitCount
        guard count >= begin + length else { return nil }
        for place in 0..<length where self[begin + place] != text.utf8Start[place] { return nil }
        return begin + length
    }
}

extension JSONObject {
    /// Members of a check whose objects are merged. Other members of a check replace those of the defaults.
    private static let merged: Set<String> = ["labels", "resolve", "bind", "socket", "tls", "trace"]

    /// This check with the members of `defaults` that it does not have.
    package func check(filledFrom defaults: JSONObject) -> JSONObject {
        filled(from: defaults, merging: Self.merged)
    }

    /// This object with the members of `defaults` that it does not have. Members of `merging` that are objects in both are
    /// filled likewise.
    private func filled(from defaults: JSONObject, merging: Set<String>) -> JSONObject {
        var result: [Member] = []
        result.reserveCapacity(members.count + defaults.members.count)
        for member in members {
            if merging.contains(member.key), case .object(let own) = member.value,
                case .object(let other)? = defaults[member.key]
            {
                result.append(Member(key: member.key, value: .object(own.filled(from: other, merging: []))))
            } else {
                result.append(member)
            }
        }
        for member in defaults.members where self[member.key] == nil { result.append(member) }
        return JSONObject(members: result)
    }
}
