// The program's entry: hands over what the system gives, so that everything behind it can be tested without a process.
using System.Collections;
using KeyEvt.Proxy;

var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
    .Select(entry => KeyValuePair.Create((string)entry.Key, (string?)entry.Value ?? ""));

#pragma warning disable RS0030 // The program's edge: here, and only here, the console is named.
return await Application.RunAsync(args, environment, Console.Out, Console.Error);
