// What does AFL++ run? One input after the other in one process; an exception is a crash.
using KeyEvt.Resp.Tests.Requests;
using SharpFuzz;

if (args is ["replay", .. var files])
{
    // The files of a crash, with the exception that AFL++ keeps to itself.
    foreach (var file in files)
    {
        Console.WriteLine(file);
        FuzzInput.Parse(File.ReadAllBytes(file)).Check();
    }

    return;
}

Fuzzer.Run(stream =>
{
    using var bytes = new MemoryStream();
    stream.CopyTo(bytes);
    FuzzInput.Parse(bytes.GetBuffer().AsSpan(0, (int)bytes.Length)).Check();
});
