using System.Text;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.Candidates;

/// <summary>What is a request that was held so that it can be looked at?</summary>
internal enum RequestKind
{
    /// <summary>For Redis alone after all.</summary>
    Ordinary,

    /// <summary>The proxy answers it.</summary>
    Own,

    /// <summary>CLIENT REPLY OFF or SKIP. It is for Redis; from here on replies may be missing.</summary>
    SilencesReplies,

    /// <summary>CLUSTER SLOTS, SHARDS, NODES, REPLICAS or SLAVES. It is for Redis, and its answer contains addresses of nodes.</summary>
    NamesNodes,
}

internal static class RequestKinds
{
    public static RequestKind Of(RespRequest request)
    {
        if (CommandNames.HasPrefix(request[0].Span)) return RequestKind.Own;
        if (request.Count >= 3 && request.NameIs(CommandNames.Module))
        {
            return IsReplacedModule(request) ? RequestKind.Own : RequestKind.Ordinary;
        }

        if (request.Count == 3 && request.NameIs(CommandNames.Client) && ArgumentIs(request, 1, "REPLY"u8))
        {
            return ArgumentIs(request, 2, "ON"u8) ? RequestKind.Ordinary : RequestKind.SilencesReplies;
        }

        return request.NameIs(CommandNames.Cluster) && ClusterQuestions.Of(request) is not null ? RequestKind.NamesNodes : RequestKind.Ordinary;
    }

    public static bool ArgumentIs(RespRequest request, int index, ReadOnlySpan<byte> text) => Ascii.EqualsIgnoreCase(request[index].Span, text);

    /// <summary>MODULE LOAD path [args], MODULE UNLOAD name.</summary>
    private static bool IsReplacedModule(RespRequest request)
    {
        if (ArgumentIs(request, 1, "UNLOAD"u8)) return request.Count == 3 && ArgumentIs(request, 2, CommandNames.ReplacedModule);
        if (!ArgumentIs(request, 1, "LOAD"u8)) return false;
        var path = request[2].Span;
        return path[(path.LastIndexOf((byte)'/') + 1)..].IndexOf(CommandNames.ReplacedModuleFile) >= 0;
    }
}
