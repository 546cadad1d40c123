using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// Which channels and patterns are merged? Those that begin as Redis' keyspace notifications do. A pattern must begin so too. Otherwise a client that is
/// subscribed to <c>*</c> would get each message of the cluster several times.
/// </summary>
internal static class KeyspaceNames
{
    private static ReadOnlySpan<byte> KeyEvent => "__keyevent@"u8;

    private static ReadOnlySpan<byte> KeySpace => "__keyspace@"u8;

    public static bool IsOne(ReadOnlySpan<byte> name) => name.StartsWith(KeyEvent) || name.StartsWith(KeySpace);

    /// <summary>Whether one of the arguments is such a name.</summary>
    public static bool AreIn(RespRequest request)
    {
        for (var i = 1; i < request.Count; i++)
        {
            if (IsOne(request[i].Span)) return true;
        }

        return false;
    }
}
