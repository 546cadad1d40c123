namespace KeyEvt.Proxy.Transport;

/// <summary>What has a <see cref="ZeroCopyForwarder"/> done with a block?</summary>
internal enum ForwardResult
{
    /// <summary>Nothing: the read returns it.</summary>
    NotTaken,

    /// <summary>It is another's now; the waiting goes on.</summary>
    Forwarded,

    /// <summary>It is another's now, whose flush must be waited for, or fails: the read returns without a byte.</summary>
    ForwardedUnflushed,
}
