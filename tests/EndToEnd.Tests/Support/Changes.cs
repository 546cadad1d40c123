// How are many changes made through the proxy, and each one acknowledged by Redis?
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Support;

/// <summary>SETs of different keys in pipelines; all are acknowledged when this returns.</summary>
internal static class Changes
{
    private const int PipelineLength = 500;

    /// <summary>Keys name:0, name:1 ...; returns them in order.</summary>
    public static async Task<string[]> SetAsync(RespClient client, string name, int count)
    {
        var keys = Enumerable.Range(0, count).Select(n => $"{name}:{n}").ToArray();
        await SetAsync(client, keys);
        return keys;
    }

    public static async Task SetAsync(RespClient client, IEnumerable<string> keys)
    {
        foreach (var pipeline in keys.Chunk(PipelineLength))
        {
            await client.SendAsync(pipeline.SelectMany(key => RespClient.Command("SET", key, "v")).ToArray());
            foreach (var key in pipeline) Assert.Equal("OK", (await client.ReadReplyAsync()).Text);
        }
    }
}
