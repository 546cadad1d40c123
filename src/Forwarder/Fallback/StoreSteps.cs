namespace KeyEvt.Forwarder.Fallback;

/// <summary>
/// How much may one step of a store do? The limits keep Redis free for its clients: a step takes 0.16 ms on average, and at most 1 ms in 99 of 100
/// cases.
/// </summary>
internal static class StoreSteps
{
    /// <summary>How many bytes of an entry are compared to recognise it. They include the message id.</summary>
    private const int HeadBytes = 256;

    /// <summary>
    /// How many entries the cap may drop in one step: at least as many as were appended, and at least 1000, so that a list shrinks after a lower cap
    /// has been set.
    /// </summary>
    public static long MostTrimmed(int appended) => Math.Max(appended, 1000);

    /// <summary>The first bytes of an entry, by which it is recognised.</summary>
    public static ReadOnlyMemory<byte> HeadOf(ReadOnlyMemory<byte> entry) => entry.Length <= HeadBytes ? entry : entry[..HeadBytes];
}
