using System.Text;

namespace KeyEvt.Proxy.Candidates;

/// <summary>Which command names concern the proxy?</summary>
internal static class CommandNames
{
    /// <summary>The beginning of the names of all commands that the proxy answers, in any case.</summary>
    public static ReadOnlySpan<byte> Prefix => "key_evt_amqp."u8;

    public static ReadOnlySpan<byte> Module => "MODULE"u8;

    public static ReadOnlySpan<byte> Client => "CLIENT"u8;

    public static ReadOnlySpan<byte> Cluster => "CLUSTER"u8;

    /// <summary>The name of the replaced module, as MODULE UNLOAD has it.</summary>
    public static ReadOnlySpan<byte> ReplacedModule => "key_evt_amqp"u8;

    /// <summary>A part of the replaced module's file name, as MODULE LOAD has it.</summary>
    public static ReadOnlySpan<byte> ReplacedModuleFile => "redis_keyspace_amqp"u8;

    public static bool HasPrefix(ReadOnlySpan<byte> name) => name.Length >= Prefix.Length && Ascii.EqualsIgnoreCase(name[..Prefix.Length], Prefix);
}
