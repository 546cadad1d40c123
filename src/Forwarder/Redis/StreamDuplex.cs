using System.IO.Pipelines;

namespace KeyEvt.Forwarder.Redis;

/// <summary>How is a stream presented as two pipes? Owns the stream.</summary>
internal sealed class StreamDuplex(Stream stream) : IDuplexPipe, IAsyncDisposable
{
    public Stream Stream => stream;

    public PipeReader Input { get; } = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));

    public PipeWriter Output { get; } = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));

    public ValueTask DisposeAsync() => stream.DisposeAsync();
}
