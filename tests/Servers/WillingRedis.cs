// What does a client library need from a Redis so that it counts as connected?
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KeyEvt.Servers;

/// <summary>
/// A master without data that says yes to everything. For tests of who connects to what: connecting to a closed port takes the client library
/// several seconds.
/// </summary>
public sealed class WillingRedis : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public WillingRedis()
    {
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync().ConfigureAwait(false));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        try
        {
            var stream = client.GetStream();
            using var reader = new StreamReader(stream, Encoding.Latin1);
            while (await reader.ReadLineAsync().ConfigureAwait(false) is ['*', .. var count])
            {
                var words = new string[int.Parse(count, CultureInfo.InvariantCulture)];
                for (var i = 0; i < words.Length; i++)
                {
                    await reader.ReadLineAsync().ConfigureAwait(false);
                    words[i] = await reader.ReadLineAsync().ConfigureAwait(false) ?? "";
                }

                await stream.WriteAsync(Encoding.Latin1.GetBytes(AnswerTo(words))).ConfigureAwait(false);
            }
        }
        catch (IOException)
        {
            // The client has gone.
        }
    }

    private static string AnswerTo(string[] words) => words[0].ToUpperInvariant() switch
    {
        "PING" => "+PONG\r\n",
        "INFO" => Bulk("# Server\r\nredis_version:7.0.0\r\n# Replication\r\nrole:master\r\n"),
        "CONFIG" => "*0\r\n",
        "HELLO" => "-ERR unknown command 'HELLO'\r\n",
        _ => "+OK\r\n",
    };

    private static string Bulk(string text) => $"${text.Length}\r\n{text}\r\n";
}
