using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.Candidates;

/// <summary>Which shape does a CLUSTER answer have that contains addresses?</summary>
internal enum ClusterQuestion
{
    /// <summary>Arrays: <c>first last (host port id metadata)...</c>.</summary>
    Slots,

    /// <summary>Maps: <c>slots, nodes: (id port tls-port ip endpoint hostname ...)...</c>.</summary>
    Shards,

    /// <summary>One text with a line for each node: <c>id host:port@bus,hostname ...</c>.</summary>
    Nodes,

    /// <summary>An array of such lines.</summary>
    Replicas,
}

internal static class ClusterQuestions
{
    /// <summary>The shape of the answer to this request; null: the answer contains no addresses.</summary>
    /// <param name="request">A request whose name is CLUSTER.</param>
    public static ClusterQuestion? Of(RespRequest request)
    {
        if (request.Count == 2)
        {
            if (RequestKinds.ArgumentIs(request, 1, "SLOTS"u8)) return ClusterQuestion.Slots;
            if (RequestKinds.ArgumentIs(request, 1, "SHARDS"u8)) return ClusterQuestion.Shards;
            if (RequestKinds.ArgumentIs(request, 1, "NODES"u8)) return ClusterQuestion.Nodes;
        }

        if (request.Count == 3 && (RequestKinds.ArgumentIs(request, 1, "REPLICAS"u8) || RequestKinds.ArgumentIs(request, 1, "SLAVES"u8)))
        {
            return ClusterQuestion.Replicas;
        }

        return null;
    }
}
