using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// Which channels and patterns are merged? Those that begin as Redis' keyspace notifications do: the name says so itself, also a pattern's, so
/// that nothing of a subscription to <c>*</c> is told three times.
/// </summary>
internal static class KeyspaceNames
{
    private static ReadOnlySpan<byte> KeyEvent => "__keyevent@"u8;

    private static ReadOnlySpan<byte> KeySpace => "__keyspace@"u8;

    public static bool IsOne(ReadOnlySpan<byte> name) => name.StartsWith(KeyEvent) || name.StartsWith(KeySpace);

    /// <summary>Whether one of the arguments behind the command's name is.</summary>
    public static bool AreIn(RespRequest request)
    {
        for (var i = 1; i < request.Count; i++)
        {
            if (IsOne(request[i].Span)) return true;
        }

        return false;
    }
}
