namespace KeyEvt.Forwarder.Fallback;

/// <summary>Under which key does the fallback storage live? In database 0 of the upstream (DESIGN section 6).</summary>
public static class FallbackKey
{
    public const string Name = "REDIS_MODULE-key_evt_amqp-fallback_storage";

    public static ReadOnlySpan<byte> Utf8 => "REDIS_MODULE-key_evt_amqp-fallback_storage"u8;
}
