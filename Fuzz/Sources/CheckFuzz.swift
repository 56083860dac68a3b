internal import CheckEngine
internal import CheckModel
@testable internal import ConnectAPI
internal import NetworkTypes
internal import StrictJSON

/// Bodies of `POST /v1/checks`.
enum CheckFuzz {
    /// Each value of a decoded check is in its documented range. Each problem has a place in the document.
    static func run(_ bytes: [UInt8]) {
        guard let document = try? JSONValue.parse(bytes, limits: JSONLimits(values: 16_384)) else { return }
        for maximum in [60_000, 100] {
            do throws(JSONProblems) {
                checkRanges(of: try CheckDecoder.decode(document, maximumTimeoutMilliseconds: maximum).request, maximum)
            } catch {
                expect(!error.isEmpty && error.problems.count <= JSONProblems.limit, "problems without bounds")
                expectPlaces(of: error.problems, in: document)
                checkBody(of: Problem(error))
            }
        }
    }

    static func checkRanges(of request: CheckRequest, _ maximumTimeout: Int) {
        expect((1...maximumTimeout).contains(request.timeoutMilliseconds), "timeout_ms")
        expect(request.holdMilliseconds == 0 || request.holdMilliseconds < request.timeoutMilliseconds, "hold_ms")
        expect((1...CheckRequest.largestCount).contains(Int(request.count)), "count")
        expect((0...60_000).contains(Int(request.intervalMilliseconds)), "interval_ms")
        expect(request.count == 1 || request.longestMilliseconds <= CheckRequest.longestRoundsMilliseconds, "too long")
        expect(request.id?.utf8.count ?? 0 <= 1024, "id")
        expect(request.labels?.count ?? 0 <= 64, "labels")
        expect(request.dialog.count <= 64, "dialog")
        checkSocket(request.socket, request.bind)
        if let tls = request.tls { checkTLS(tls) }
        if let trace = request.trace {
            expect(TraceOptions.maxTTLRange.contains(trace.maxTTL), "trace.max_ttl")
            expect((1...maximumTimeout).contains(trace.timeoutMilliseconds), "trace.timeout_ms")
        }
        if case .oneOf(let outcomes) = request.expectation { expect(!outcomes.isEmpty, "an empty expectation") }
        checkCombinations(of: request)
    }

    private static func checkSocket(_ socket: SocketOptions, _ bind: BindOptions) {
        expect((1...255).contains(socket.ttl ?? 1), "socket.ttl")
        expect((0...63).contains(socket.dscp ?? 0), "socket.dscp")
        expect((1...127).contains(socket.tcpSynRetries ?? 1), "socket.tcp_syn_retries")
        expect(socket.maximumSegment == nil, "a segment that no request has")
        expect((1...15).contains(bind.interface?.utf8.count ?? 1), "bind.interface")
    }

    private static func checkTLS(_ tls: TLSOptions) {
        expect(tls.alpn.count <= 16, "tls.alpn")
        expect(tls.alpn.allSatisfy { (1...255).contains($0.utf8.count) }, "a name in tls.alpn")
        expect((0...36_500).contains(tls.minimumDaysLeft ?? 0), "tls.min_days_left")
        expect(tls.ciphers?.utf8.allSatisfy { (0x20...0x7E).contains($0) } ?? true, "tls.ciphers")
        if let name = tls.serverName { expect(name.utf8.allSatisfy { (0x21...0x7E).contains($0) }, "tls.server_name") }
        if let low = tls.minimumVersion, let high = tls.maximumVersion { expect(low <= high, "tls.max_version") }
    }

    private static func checkCombinations(of request: CheckRequest) {
        if request.isHalfOpen {
            expect(request.tls == nil && request.dialog.isEmpty, "a conversation over a connection that never was")
        }
        if request.tls != nil || request.dialog.contains(.startTLS) {
            switch request.target.peer {
            case .tcp, .unix(.stream, _): break
            case .udp, .unix(.dgram, _), .unix(.seqpacket, _): expect(false, "TLS without a byte stream")
            }
        }
        expect(request.dialog.count { $0 == .startTLS } <= 1, "TLS starts twice")
        if case .unix = request.target.peer { expect(request.trace == nil, "a trace to a path") }
    }

    /// The answer is valid JSON, and not longer than a client may make it.
    private static func checkBody(of problem: Problem) {
        let body = problem.body
        expect(body.count <= 1 << 18, "an answer of \(body.count) bytes")
        do throws(JSONSyntaxError) {
            guard case .object = try JSONValue.parse(body) else { fatalError("not an object") }
        } catch {
            fatalError("the answer is not valid JSON: \(error)")
        }
    }
}

/// Bodies of batches, whose checks are decoded one by one from their bytes.
enum BatchFuzz {
    /// A check has the result that it would have as a body of its own.
    static func run(_ bytes: [UInt8]) {
        let limits = JSONLimits(values: 16_384)
        do throws(JSONSyntaxError) {
            let outline = try JSONOutline.parse(bytes, deferring: "checks", maximumElements: 50, limits: limits)
            guard case .object(let object) = outline.document, let ranges = outline.elements else { return }
            var defaults = JSONObject(members: [])
            if case .object(let members)? = object["defaults"] { defaults = members }
            let items = BatchItems(body: bytes, ranges: ranges, defaults: defaults)
            for index in ranges.indices { compare(items, index) }
        } catch {
            expect((0...bytes.count).contains(error.offset), "an offset outside of the document")
            expect(isPointer(error.pointer), "not a JSON pointer: \(error.pointer)")
        }
    }

    private static func compare(_ items: BatchItems, _ index: Int) {
        let key = items.hostKey(index)
        do throws(BatchItems.Refusal) {
            let request = try items.check(index, maximumTimeoutMilliseconds: 60_000).request
            CheckFuzz.checkRanges(of: request, 60_000)
            expect(!key.isEmpty || items.defaults["target"] != nil, "a check without a host")
            expect(alone(items, index).map(String.init(describing:)) == String(describing: request), "another request")
        } catch {
            expect(!error.problems.isEmpty, "a refusal without a problem")
            expect(error.problems.allSatisfy { $0.pointer.hasPrefix("/checks/\(index)") }, "a problem of another check")
            expect(alone(items, index) == nil, "a check that is valid alone was refused")
        }
    }

    /// The request of a check, decoded in the usual way.
    private static func alone(_ items: BatchItems, _ index: Int) -> CheckRequest? {
        let bytes = Array(items.body[items.ranges[index]])
        guard case .object(let object)? = try? JSONValue.parse(bytes, limits: JSONLimits(values: 4096)) else {
            return nil
        }
        let document = JSONValue.object(
            items.defaults.members.isEmpty ? object : object.check(filledFrom: items.defaults))
        return try? CheckDecoder.decode(document, maximumTimeoutMilliseconds: 60_000).request
    }
}
