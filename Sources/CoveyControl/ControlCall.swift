import FoundationEssentials

/// A request that was read and checked: the method with its parameters.
package enum ControlCall: Hashable, Sendable {
    case nodeStatus
    case nodeVersion
    case nodeExamine
    case nodeRevoke(NodeRevoke)
    case nodeStop
    case peersList
    case contactsList(after: Hex?)
    case contactsShow(device: String)
    case contactsSuspend(ContactsSuspend)
    case messageSend(MessageSend)
    case inboxList(after: UInt64, limit: Int)
    case inboxSubscribe(after: UInt64?)
    case quarantineList(after: UInt64, limit: Int, hidden: Bool)
    case announcementSend(AnnouncementSend)
    case announcementList
    case logHeads
    case logList(after: UInt64, limit: Int)
    case logNotes(after: Hex?, limit: Int)
    case logExport(after: String?, limit: Int)
    case logSubmit(LogSubmit)
    case renewalsList
    case releaseList
    case wipeDraft(WipeDraftRequest)
    case wipeSign(WipeSign)
    case wipeList
    case eventsSubscribe

    /// Reads one line without its newline. The id is nil when no answer is wanted.
    package static func read(_ line: [UInt8]) -> (id: RequestID?, call: Result<ControlCall, ControlError>) {
        guard String(validating: line, as: UTF8.self) != nil else {
            return (.null, .failure(ControlError(.parse, "the line is no UTF-8 text", hint: shape)))
        }
        let line = Data(line)
        let head: Head
        do {
            head = try JSONDecoder().decode(Head.self, from: line)
        } catch {
            let id = try? JSONDecoder().decode(Identified.self, from: line).id
            return (id ?? .null, .failure(refusal(of: error, isHead: true)))
        }
        do throws(ControlError) {
            return (head.id, .success(try call(head, line)))
        } catch {
            return (head.id, .failure(error))
        }
    }

    private static func call(_ head: Head, _ line: Data) throws(ControlError) -> ControlCall {
        guard head.version == "2.0" else {
            throw ControlError(
                .invalidRequest, "this is no request of JSON-RPC 2.0", hint: "set \"jsonrpc\": \"2.0\"")
        }
        guard let method = ControlMethod(rawValue: head.method) else {
            let known = ControlMethod.allCases.map(\.rawValue).joined(separator: ", ")
            throw ControlError(.unknownMethod, "there is no method \(quoted(head.method))", hint: "methods: \(known)")
        }
        let parameters = method.description.parameters
        for name in head.parameters where !parameters.contains(where: { $0.name == name }) {
            let known = parameters.map(\.name).joined(separator: ", ")
            throw ControlError(
                .invalidParameters, "\(method.rawValue) has no parameter \(quoted(name))",
                hint: known.isEmpty ? "it takes none" : "it takes: \(known)")
        }
        for parameter in parameters where parameter.isRequired && !head.parameters.contains(parameter.name) {
            throw ControlError(
                .invalidParameters, "\(method.rawValue) needs the parameter \"\(parameter.name)\"",
                hint: parameter.meaning)
        }
        func read<Parameters: ControlRequest>(
            _: Parameters.Type, else empty: Parameters?
        ) throws(ControlError) -> Parameters {
            if head.parameters.isEmpty, let empty { return empty }
            do {
                return try JSONDecoder().decode(Body<Parameters>.self, from: line).params
            } catch {
                // Of a number that does not fit the decoder tells neither that nor where it stands.
                let integers = parameters.filter { $0.type == "integer" }
                let numbers = try? JSONDecoder().decode(Body<[String: Number]>.self, from: line).params
                if case DecodingError.dataCorrupted(let context) = error, context.codingPath.isEmpty,
                    let unfit = integers.first(where: { numbers?[$0.name]?.fits == false })
                {
                    throw ControlError(
                        .invalidParameters, "params.\(unfit.name) is out of range",
                        hint: "a whole number: \(unfit.meaning)")
                }
                throw refusal(of: error, isHead: false)
            }
        }
        switch method {
        case .nodeStatus: return .nodeStatus
        case .nodeVersion: return .nodeVersion
        case .nodeExamine: return .nodeExamine
        case .nodeRevoke: return .nodeRevoke(try read(NodeRevoke.self, else: nil))
        case .nodeStop: return .nodeStop
        case .peersList: return .peersList
        case .contactsList: return .contactsList(after: try read(ContactsList.self, else: ContactsList()).after)
        case .contactsShow: return .contactsShow(device: try read(ContactsShow.self, else: nil).device)
        case .contactsSuspend: return .contactsSuspend(try read(ContactsSuspend.self, else: nil))
        case .messageSend: return .messageSend(try read(MessageSend.self, else: nil))
        case .inboxList:
            let list = try read(InboxList.self, else: InboxList())
            return .inboxList(after: list.after ?? 0, limit: try page(list.limit))
        case .inboxSubscribe: return .inboxSubscribe(after: try read(InboxSubscribe.self, else: InboxSubscribe()).after)
        case .quarantineList:
            let list = try read(QuarantineList.self, else: QuarantineList())
            return .quarantineList(
                after: list.after ?? 0, limit: try page(list.limit), hidden: list.hidden ?? false)
        case .announcementSend: return .announcementSend(try read(AnnouncementSend.self, else: nil))
        case .announcementList: return .announcementList
        case .logHeads: return .logHeads
        case .logList:
            let list = try read(LogList.self, else: LogList())
            return .logList(after: list.after ?? 0, limit: try page(list.limit))
        case .logNotes:
            let notes = try read(LogNotes.self, else: LogNotes())
            return .logNotes(after: notes.after, limit: try page(notes.limit))
        case .logExport:
            let export = try read(LogExport.self, else: LogExport())
            return .logExport(after: export.after, limit: try page(export.limit))
        case .logSubmit: return .logSubmit(try read(LogSubmit.self, else: nil))
        case .renewalsList: return .renewalsList
        case .releaseList: return .releaseList
        case .wipeDraft: return .wipeDraft(try read(WipeDraftRequest.self, else: nil))
        case .wipeSign: return .wipeSign(try read(WipeSign.self, else: nil))
        case .wipeList: return .wipeList
        case .eventsSubscribe: return .eventsSubscribe
        }
    }

    private static func page(_ limit: Int?) throws(ControlError) -> Int {
        let limit = limit ?? ControlMethod.defaultPage
        guard (1...ControlMethod.largestPage).contains(limit) else {
            throw ControlError(
                .invalidParameters, "limit is \(limit)", hint: "it is 1 to \(ControlMethod.largestPage)")
        }
        return limit
    }

    /// What stands around the parameters, and their names.
    private struct Head: Decodable {
        enum Key: String, CodingKey { case jsonrpc, id, method, params }
        struct Name: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        var version: String?
        var id: RequestID?
        var method: String
        var parameters: [String]

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            version = try container.decodeIfPresent(String.self, forKey: .jsonrpc)
            id = container.contains(.id) ? try container.decode(RequestID.self, forKey: .id) : nil
            method = try container.decode(String.self, forKey: .method)
            if !container.contains(.params) {
                parameters = []
            } else {
                parameters = try container.nestedContainer(keyedBy: Name.self, forKey: .params)
                    .allKeys.map(\.stringValue).sorted()
            }
        }
    }

    /// What can be read of a request that is wrong: whom to answer.
    private struct Identified: Decodable { var id: RequestID }

    /// Any value, and whether it is no number, or one that a parameter can be.
    private struct Number: Decodable {
        var fits: Bool

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            fits =
                (try? container.decode(Double.self)) == nil
                || ((try? container.decode(Int64.self)) != nil && (try? container.decode(UInt64.self)) != nil)
        }
    }

    private struct Body<Parameters: Decodable>: Decodable { var params: Parameters }

    private static let shape =
        "a request is {\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"node.status\", \"params\": {}}"

    private static func refusal(of error: any Error, isHead: Bool) -> ControlError {
        func kind(_ context: DecodingError.Context) -> ControlError.Kind {
            isHead && context.codingPath.first?.stringValue != "params" ? .invalidRequest : .invalidParameters
        }
        guard let error = error as? DecodingError else {
            return ControlError(.parse, "the line is no JSON", hint: shape)
        }
        switch error {
        case .dataCorrupted(let context):
            // What stands inside the parameters is read after the head.
            if context.codingPath.isEmpty { return ControlError(.parse, "the line is no JSON", hint: shape) }
            return ControlError(kind(context), "\(path(context)) cannot be read", hint: context.debugDescription)
        case .keyNotFound(let key, let context):
            return ControlError(kind(context), "\(path(context, key)) is missing", hint: shape)
        case .valueNotFound(let type, let context), .typeMismatch(let type, let context):
            return ControlError(
                kind(context), "\(path(context)) has the wrong type", hint: "expected \(word(for: type))")
        @unknown default:
            return ControlError(.invalidRequest, "the request cannot be read", hint: shape)
        }
    }

    private static func path(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil) -> String {
        let keys = context.codingPath + (last.map { [$0] } ?? [])
        if keys.isEmpty { return "the line" }
        return keys.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    }

    private static func word(for type: Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is UInt64.Type, is Int.Type, is Int64.Type: "a whole number"
        case is Bool.Type: "true or false"
        case is [Any].Type: "a list"
        default: "an object"
        }
    }

    /// A stranger's word in a sentence of ours: cut, so that the answer stays short.
    private static func quoted(_ word: String) -> String { "\"\(word.prefix(64))\"" }
}
