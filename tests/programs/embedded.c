/* embedded SCRIPT ARGS...: a C program that runs a Python script inside itself. */

#include <Python.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char** argv) {
  wchar_t* arguments[64];
  FILE* script = argc > 1 && argc <= 64 ? fopen(argv[1], "r") : NULL;
  if (script == NULL) return 2;
  setenv("PYTHONHOME", PYTHON_HOME, 1);
  Py_Initialize();
  for (int i = 1; i < argc; ++i) arguments[i - 1] = Py_DecodeLocale(argv[i], NULL);
  PySys_SetArgv(argc - 1, arguments);
  return PyRun_SimpleFileEx(script, argv[1], 1) != 0;
}
