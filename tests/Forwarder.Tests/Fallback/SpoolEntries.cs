using System.Text;
using KeyEvt.Forwarder.Fallback.Spool;

namespace KeyEvt.Forwarder.Tests.Fallback;

/// <summary>Entries of a spool as texts.</summary>
internal static class SpoolEntries
{
    public static async Task<IEnumerable<string>> ReadAsync(LocalSpool spool) => (await spool.ReadAsync(0, null, int.MaxValue, int.MaxValue)).Entries.Select(TextOf);

    public static string TextOf(ReadOnlyMemory<byte> entry) => Encoding.UTF8.GetString(entry.Span);

    public static ReadOnlyMemory<byte>[] Entries(params string[] texts) => [.. texts.Select(text => new ReadOnlyMemory<byte>(Encoding.UTF8.GetBytes(text)))];
}
