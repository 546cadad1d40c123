namespace KeyEvt.Proxy.Barrier;

/// <summary>Whose are the first bytes of the reply stream, as far as it can be said?</summary>
/// <param name="ForClient">How many bytes go to the client.</param>
/// <param name="ForProxy">How many bytes behind those are answers to the proxy's own commands. They are dropped.</param>
/// <param name="IsReached">The barrier's last line was among them.</param>
internal readonly record struct BarrierStep(long ForClient, long ForProxy, bool IsReached)
{
    /// <summary>Nothing can be said before more bytes have arrived.</summary>
    public static BarrierStep NeedMore => default;

    public static BarrierStep Client(long bytes) => new(bytes, 0, false);

    public static BarrierStep Proxy(long bytes) => new(0, bytes, false);

    public static BarrierStep Reached(long bytes) => new(0, bytes, true);
}
